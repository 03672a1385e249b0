"""The real annotation tables, as far as they are at hand, over trees that are stood in for: no picture is needed."""

import pytest

from train.datasets.annotation import tree
from train.datasets.annotation.table import read_columns, read_table
from train.datasets.corpora import casme2, casme3, casme_squared, dfme, mmew, samm, smic
from train.datasets.corpora.catalogue import survey

pytest.importorskip("openpyxl", reason="reading tables needs the train extra")

CASME_SQUARED = "CASME_squared.xlsx"


@pytest.fixture
def spans(monkeypatch):
    """By folder, the first frame that it is taken to hold and the one after its last."""
    held = {}
    monkeypatch.setattr(tree, "numbered", lambda folder: dict.fromkeys(range(*held[folder])))
    return held


@pytest.fixture
def stand_in(tmp_path, spans):
    """Folders without pictures, whose frames are those that the rows name and all between them."""

    def make(rows, place):
        for row in rows:
            coded = [row["onset"], *(row[moment] for moment in ("apex", "offset") if row[moment] != "0")]
            frames = [int(cell) for cell in coded if cell.isdigit()]
            folder = tmp_path / place(row)
            folder.mkdir(parents=True, exist_ok=True)
            first, end = spans.get(folder, (min(frames), 0))
            spans[folder] = (min(first, *frames), max(end, max(frames) + 40))
        return tmp_path

    return make


@pytest.fixture
def casme2_table(annotations, stand_in):
    path = annotations("CASME2-coding-20190701.xlsx")
    rows = read_table(path, casme2.COLUMNS)
    return stand_in(rows, lambda row: f"Cropped/sub{row['subject']}/{row['clip']}"), path


@pytest.fixture
def samm_table(annotations, stand_in):
    path = annotations("SAMM.xlsx")
    return stand_in(read_table(path, samm.COLUMNS), lambda row: f"SAMM/{row['subject']}/{row['clip']}"), path


@pytest.fixture
def smic_table(annotations, stand_in):
    path = annotations("smic_apex.xlsx")
    place = "HS/s{subject}/micro/{label}/{clip}"

    def folder(row):
        return place.format(**(dict(row.cells) | {"label": smic.CLASSES[int(row["label"])]}))

    return stand_in(read_table(path, smic.COLUMNS), folder), path


def clean(name, where, labels=None):
    found = survey(name, *where, labels)
    assert found.problems == ()
    return found


def test_casme2_has_the_counts_of_its_newer_sheet(casme2_table):
    found = clean("casme2", casme2_table)
    assert found.counts == {"happiness": 32, "disgust": 63, "repression": 27, "surprise": 28, "others": 99}
    assert (found.subjects, found.left_out, found.estimated) == (26, 6, {})
    assert len(found.corrections) == 1
    assert "row 31: sub04-EP12_01f: apex '/', used 279" in found.corrections[0]


def test_megc_2019_has_145_clips_of_casme2(casme2_table):
    found = clean("casme2", casme2_table, "megc-3")
    assert found.counts == {"negative": 88, "positive": 32, "surprise": 25}
    assert found.subjects == 24


def test_samm_has_136_clips_in_5_classes_and_133_in_3(samm_table):
    five, three = clean("samm", samm_table), clean("samm", samm_table, "megc-3")
    assert list(five.counts.values()) == [57, 26, 12, 15, 26]
    assert three.counts == {"negative": 92, "positive": 26, "surprise": 15}
    assert (len(five.clips) + five.left_out, three.subjects) == (159, 28)


def test_smic_has_164_clips_and_lacks_7_offsets(smic_table):
    found = clean("smic", smic_table)
    assert found.counts == {"negative": 70, "positive": 51, "surprise": 43}
    assert (found.subjects, found.rates, found.estimated) == (16, {100.0: 164}, {"offset": 7})


def test_casme3_has_860_clips(annotations, stand_in):
    path = annotations("casme3_table.xlsx")
    root = stand_in(read_table(path, casme3.COLUMNS), lambda row: f"part_A/{row['subject']}/{row['clip']}/color")
    found = clean("casme3", (root, path))
    assert {label: (count,) for label, count in found.counts.items()} == found.expected
    assert (found.subjects, found.estimated, len(found.corrections)) == (94, {"offset": 2}, 2)


def test_casme_squared_has_300_macro_and_57_micro_expressions(annotations, stand_in):
    path = annotations(CASME_SQUARED)
    people = {row["person"]: row["folder"] for row in read_columns(path, "naming rule1", ("", "folder", "person"))}
    codes = {row["video"]: row["code"] for row in read_columns(path, "naming rule2", ("code", "video"))}

    def folder(row):
        person = people[row["subject"]]
        return f"rawpic/{person}/{person[1:]}_{codes[row['clip'].partition('_')[0]]}film"

    root = stand_in(read_columns(path, "CASFEcode_final", casme_squared.COLUMNS), folder)
    found = clean("casme_squared", (root, path))
    assert [sum(clip.kind == kind for clip in found.clips) for kind in ("macro", "micro")] == [300, 57]
    assert found.counts == {"negative": 126, "positive": 124, "surprise": 25, "others": 82}
    assert (found.subjects, found.estimated, len(found.corrections)) == (22, {"offset": 44, "apex": 1}, 3)


def test_dfme_has_three_rates(annotations, stand_in):
    path = annotations("DFME_testA_full_with_AU.xlsx")
    root = stand_in(read_table(path, dfme.COLUMNS), lambda row: f"{row['subject']}/{row['clip']}")
    found = clean("dfme", (root, path))
    assert (found.rates, found.subjects) == ({200.0: 116, 300.0: 143, 500.0: 215}, 42)
    assert (found.counts["surprise"], found.counts["contempt"]) == (101, 34)


def test_mmew_has_234_clips_without_others(annotations, stand_in):
    path = annotations("MMEW_Micro_Exp_delete_others.csv")
    root = stand_in(read_table(path, mmew.COLUMNS), lambda row: f"Micro_Expression/{row['label']}/{row['clip']}")
    found = clean("mmew", (root, path))
    assert {label: (count,) for label, count in found.counts.items()} == found.expected
    assert found.subjects == 30


def test_dfew_has_2341_clips_in_the_test_of_its_first_fold(annotations, tmp_path, spans):
    path = annotations("DFEW_set_1_test.txt")
    for line in path.read_text("utf-8").splitlines():
        folder = tmp_path / "clip_224x224_16f" / line.split()[0].rpartition("/")[2]
        folder.mkdir(parents=True)
        spans[folder] = (1, 17)
    found = clean("dfew", (tmp_path, path))
    assert list(found.counts.values()) == [489, 379, 534, 435, 294, 29, 181]
