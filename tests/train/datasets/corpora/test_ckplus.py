import pytest

from realtime.errors import DataError
from train.datasets.corpora.ckplus import read


@pytest.fixture
def root(tmp_path, pictures):
    for sequence, last, emotion in (("S005/001", 11, "3.0000000e+00"), ("S010/002", 14, None), ("S010/004", 19, "8.0")):
        name = sequence.replace("/", "_")
        pictures(f"cohn-kanade-images/{sequence}", range(1, last + 1), name + "_{:08d}.png")
        folder = tmp_path / "Emotion" / sequence
        folder.mkdir(parents=True)
        if emotion:
            (folder / f"{name}_{last:08d}_emotion.txt").write_text(f"   {emotion}\n", "utf-8")
    return tmp_path


def test_a_sequence_rises_from_its_first_picture_to_its_last(root):
    (sample,) = read(root, None).samples
    assert (sample.id, sample.subject, sample.raw_label, sample.kind) == ("S005-001", "S005", "disgust", "macro")
    assert (sample.onset_s, sample.apex_s, sample.offset_s) == pytest.approx((0.0, 10 / 30, 10 / 30))


def test_an_emotion_that_is_none_is_a_problem(root):
    (problem,) = read(root, None).problems
    assert problem.startswith("Emotion/S010/004/S010_004_00000019_emotion.txt: emotion '8.0'")


def test_a_table_and_missing_emotions_are_refused(root, tmp_path):
    with pytest.raises(DataError, match="leave --table out"):
        read(root, root / "table.csv")
    with pytest.raises(DataError, match="Emotion"):
        read(root / "cohn-kanade-images", None)
