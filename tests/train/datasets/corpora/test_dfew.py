import shutil

import pytest

from realtime.errors import DataError
from train.datasets.corpora.dfew import folds, read
from train.datasets.folds import cases, from_lists

CLIPS = (1, 2, 4, 6, 7)


@pytest.fixture
def root(tmp_path, pictures):
    """Five clips, of which each fold tests another; even folds spell clips with zeros."""
    for fold, tested in enumerate(CLIPS, 1):
        for side in ("train", "test"):
            folder = tmp_path / "EmoLabel_DataSplit" / f"{side}(single-labeled)"
            folder.mkdir(parents=True, exist_ok=True)
            clips = [clip for clip in CLIPS if (clip == tested) == (side == "test")]
            lines = [f"{clip if fold % 2 else f'{clip:05d}'},{clip}\n" for clip in clips]
            (folder / f"set_{fold}.csv").write_text("video_name,label\n" + "".join(lines), "utf-8")
    for clip in CLIPS:
        pictures(f"Clip/clip_224x224_16f/{clip:05d}", range(1, 17), "{:03d}.png")
    return tmp_path


def test_both_sides_of_the_first_fold_are_all_clips(root):
    reading = read(root, None)
    assert reading.problems == ()
    assert {sample.id: sample.raw_label for sample in reading.samples} == {
        "00001": "happiness",
        "00002": "sadness",
        "00004": "anger",
        "00006": "disgust",
        "00007": "fear",
    }
    first = reading.samples[0]
    assert (first.subject, first.kind) == ("00002", "macro")
    assert (first.onset_s, first.offset_s) == pytest.approx((0.0, 15 / 25))


def test_the_folds_fit_the_cases(root):
    found = from_lists(cases({"dfew": read(root, None).samples}), folds(root))
    assert [(fold.name, fold.test) for fold in found] == [
        (f"fold-{number}", (f"dfew/{clip:05d}",)) for number, clip in enumerate(CLIPS, 1)
    ]


def test_a_community_list_counts_labels_from_0(root, tmp_path):
    (tmp_path / "list.txt").write_text("DFEW_Face/00001 144 0\nDFEW_Face/00004 48 3\n", "utf-8")
    assert [s.raw_label for s in read(root, tmp_path / "list.txt").samples] == ["happiness", "anger"]


def test_lines_and_labels_that_are_wrong_are_listed(root, tmp_path):
    (tmp_path / "list.txt").write_text("DFEW_Face/00001 144\nDFEW_Face/00002 x y\n", "utf-8")
    with pytest.raises(DataError) as found:
        read(root, tmp_path / "list.txt")
    assert [problem.partition(":")[0] for problem in found.value.problems] == ["list.txt line 1", "list.txt line 2"]
    (tmp_path / "list.csv").write_text("video_name,label\n1,8\n99,1\n", "utf-8")
    problems = read(root, tmp_path / "list.csv").problems
    assert "label 8" in problems[0]
    assert "00099.mp4" in problems[1]


def test_missing_lists_are_named(root):
    shutil.rmtree(root / "EmoLabel_DataSplit")
    with pytest.raises(DataError, match=r"set_1\.csv"):
        read(root, None)
