import json

import pytest
from typer.testing import CliRunner

from realtime.errors import DataError
from realtime.labels import NONE, OWN, VOCABULARIES
from train.__main__ import app
from train.datasets.annotation.labels import LABEL_SETS, canonical
from train.datasets.corpora.catalogue import LOADERS, load, survey

HEAD = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
ROWS = [
    ["01", "EP02_01f", 46, 59, 60, 12, "happiness"],
    ["02", "EP03_02f", 46, 59, 60, 4, "repression"],
    ["02", "EP03_03f", 46, 59, 60, 4, "Other"],
    ["24", "EP07_01", 46, "/", 60, 1, "surprise"],
    ["26", "EP15_01", 46, 59, 60, 1, "sadness"],
]


@pytest.fixture
def root(tmp_path, pictures, spreadsheet):
    """A few clips of CASME II."""
    spreadsheet("CASME2-coding-20190701.xlsx", [HEAD, *ROWS])
    for subject, clip, *_ in ROWS:
        pictures(f"Cropped/sub{subject}/{clip}", range(46, 61))
    return tmp_path


@pytest.fixture
def broken(root, spreadsheet):
    (root / "Cropped" / "sub01" / "EP02_01f" / "img50.png").unlink()
    rows = [*ROWS, ["05", "nowhere", 1, 2, 3, 4, "rage"]]
    spreadsheet("CASME2-coding-20190701.xlsx", [HEAD, *rows])
    return root


def run(*arguments):
    return CliRunner().invoke(app, ["datasets", *map(str, arguments)])


def test_every_usual_label_set_exists_and_expects_only_its_own_classes():
    assert {loader.labels for loader in LOADERS.values()} - {None} <= set(LABEL_SETS)
    for chosen in LABEL_SETS.values():
        assert set(chosen.classes.values()) == set(chosen.labels)
        assert not chosen.left_out & set(chosen.classes)
        assert set(chosen.expected) <= set(LOADERS)
        assert all(set(counts) == set(chosen.labels) for counts in chosen.expected.values())
        assert all(canonical(label) == label for label in (*chosen.classes, *chosen.left_out))


def test_every_label_set_is_a_vocabulary_of_engines_and_the_other_way_round():
    # No data set labels what is none, nor moments: those are engines' own answers.
    own = {"spotting-3"}
    of_data = {name: labels for name, labels in VOCABULARIES.items() if NONE not in labels and name not in own}
    assert {name: chosen.labels for name, chosen in LABEL_SETS.items()} == of_data
    assert OWN not in VOCABULARIES


def test_classes_keep_the_order_that_engines_were_exported_with():
    assert VOCABULARIES["megc-3"] == VOCABULARIES["smic-3"] == ("negative", "positive", "surprise")
    assert VOCABULARIES["casme2-5"] == ("happiness", "disgust", "repression", "surprise", "others")
    assert VOCABULARIES["samm-5"] == ("anger", "happiness", "contempt", "surprise", "others")
    assert VOCABULARIES["dfew-7"] == ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
    assert LABEL_SETS["megc-3"].classes["repression"] == "negative"


def test_expected_counts_are_those_of_the_literature():
    def total(name, dataset):
        return {sum(counts) for counts in zip(*LABEL_SETS[name].expected[dataset].values(), strict=False)}

    assert total("megc-3", "casme2") == {145}
    assert total("megc-3", "samm") == {133}
    assert total("megc-3", "smic") == total("smic-3", "smic") == {164}
    assert total("samm-5", "samm") == {136}
    assert total("dfew-7", "dfew") == {11_697}
    assert total("casme3-7", "casme3") == {860}
    assert total("emotion-7", "ckplus") == {327}
    five = LABEL_SETS["casme2-5"].expected["casme2"]
    assert (sum(map(min, five.values())), sum(map(max, five.values()))) == (246, 249)


def test_a_label_set_renames_and_leaves_out(root):
    five, three = survey("casme2", root), survey("casme2", root, labels="megc-3")
    assert [clip.label for clip in five.clips] == ["happiness", "repression", "others", "surprise"]
    assert [(clip.label, clip.raw_label) for clip in three.clips] == [
        ("positive", "happiness"),
        ("negative", "repression"),
    ]
    assert (five.left_out, three.left_out, five.estimated) == (1, 3, {"apex": 1})


def test_without_problems_the_data_set_is_given(root):
    data = load("casme2", root)
    assert data.labels == LABEL_SETS["casme2-5"].labels
    frames = data.frames(data.samples()[0])
    assert (len(frames), frames[-1].t) == (15, pytest.approx(14 / 200))


def test_one_error_lists_pictures_folders_and_labels(broken):
    with pytest.raises(DataError) as found:
        load("casme2", broken)
    problems = found.value.problems
    assert len(problems) == 3
    assert all(problem.startswith("CASME2-coding-20190701.xlsx row") for problem in problems)
    for problem, part in zip(problems, ["are missing", "unpack it there", "label 'rage' is unknown"], strict=True):
        assert part in problem


def test_labels_as_they_stand_are_the_classes_of_a_manifest(tmp_path, pictures):
    pictures("a", range(5))
    lines = ["subject,path,fps,onset,apex,offset,label", "p,a,10,0,2,4,Happy", "q,a,10,,,,calm"]
    (tmp_path / "manifest.csv").write_text("\n".join(lines), "utf-8")
    assert load("manifest", tmp_path).labels == ("calm", "happiness")
    with pytest.raises(DataError, match="'calm' is unknown to megc-3"):
        load("manifest", tmp_path, labels="megc-3")


def test_unknown_names_are_refused():
    for arguments in (("casme9", "."), ("casme2", ".", None, "casme2-9")):
        with pytest.raises(DataError, match="wanted one of"):
            survey(*arguments)


def test_the_command_shows_counts_beside_the_published_ones(root):
    done = run("casme2", "--root", root)
    assert done.exit_code == 0, done.output
    for part in ("200 Hz (4 clips)", "surprise               1 (published: 25 or 28)", "apex estimated"):
        assert part in done.output


def test_the_command_gives_json(root):
    done = run("casme2", "--root", root, "--labels", "megc-3", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["clips"], found["subjects"], found["problems"]) == (0, 2, 2, [])
    assert found["counts"] == {"negative": 1, "positive": 1, "surprise": 0}
    assert found["expected"]["negative"] == [88]


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_the_command_lists_all_problems_and_ends_with_2(broken, more):
    done = run("casme2", "--root", broken, *more)
    assert done.exit_code == 2
    assert all(part in done.stdout for part in ("are missing", "unpack it there", "is unknown to casme2-5"))


def test_a_root_that_is_not_there_ends_with_2_and_one_message(tmp_path):
    done = run("samm", "--root", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "error: no folder" in done.output
