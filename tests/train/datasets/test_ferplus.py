from pathlib import Path

import cv2
import numpy as np
import pytest
from packed_faces import NAMES, arrays, counted, packed

from realtime.errors import DataError
from realtime.labels import FERPLUS
from train.datasets.ferplus import emotion_shares, load, majority_agreed

REAL = Path(__file__).resolve().parents[3] / "../shared/data/ferplus.npz"

ROWS = [  # split, votes, and the expected shares of the classes, None for a picture that is left out
    ("train", {"happiness": 9, "surprise": 1}, {"happiness": 1.0}),
    ("train", {"neutral": 6, "sadness": 4}, {"neutral": 0.6, "sadness": 0.4}),
    ("valid", {"anger": 5, "disgust": 3, "fear": 1, "contempt": 1}, {"anger": 0.625, "disgust": 0.375}),
    ("test", {"surprise": 4, "unknown": 6}, None),
    ("test", {"surprise": 7, "unknown": 3}, {"surprise": 1.0}),
    ("train", {"NF": 10}, None),
    ("test", dict.fromkeys(NAMES, 1), None),
]


def picture(index):
    return np.random.default_rng(index).integers(0, 256, (48, 48), dtype=np.uint8)


PICTURES, (SPLITS, VOTES, _) = list(map(picture, range(len(ROWS)))), zip(*ROWS, strict=True)


@pytest.fixture
def path(tmp_path):
    return packed(tmp_path / "ferplus.npz", PICTURES, VOTES, SPLITS)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_split_holds_its_pictures_with_their_vote_shares(path, split):
    data = load(path, split)
    wanted = [(i, row[2]) for i, row in enumerate(ROWS) if row[0] == split and row[2] is not None]
    assert len(data) == len(wanted)
    for row, (index, shares) in enumerate(wanted):
        grey = cv2.imdecode(cv2.imencode(".webp", picture(index), [cv2.IMWRITE_WEBP_QUALITY, 101])[1], 0)
        assert np.array_equal(data.image(row), np.repeat(grey[:, :, None], 3, axis=2))
        assert dict(zip(FERPLUS, data.targets[row].tolist(), strict=True)) == pytest.approx(
            {name: shares.get(name, 0.0) for name in FERPLUS}
        )
        assert FERPLUS[data.targets[row].argmax()] == max(shares, key=shares.get)


def test_single_votes_are_dropped_and_unclear_pictures_do_not_count():
    shares, known = emotion_shares(counted(VOTES))
    assert known.tolist() == [row[2] is not None for row in ROWS]
    assert shares[known].sum(1) == pytest.approx(1.0)
    assert shares.dtype == np.float32


def test_only_pictures_with_a_true_majority_are_those_of_the_paper():
    rows = [
        ({"happiness": 9, "surprise": 1}, True),  # the single vote does not count: 9 of 9
        ({"neutral": 5, "sadness": 5}, False),  # a half is no majority
        ({"anger": 5, "disgust": 3, "fear": 1, "contempt": 1}, True),  # 5 of 8
        ({"neutral": 4, "sadness": 3, "anger": 3}, False),
        ({"surprise": 4, "unknown": 4, "neutral": 2}, False),  # "unknown" counts against it
    ]
    assert majority_agreed(counted([row[0] for row in rows])).tolist() == [row[1] for row in rows]


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match=r"no file nowhere/ferplus\.npz"):
        load(Path("nowhere/ferplus.npz"), "train")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "ferplus.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"no \.npz file"):
        load(tmp_path / "ferplus.npz", "train")


def test_all_missing_arrays_are_listed(tmp_path):
    np.savez(tmp_path / "other.npz", votes=np.zeros((1, 10)))
    with pytest.raises(DataError) as found:
        load(tmp_path / "other.npz", "train")
    assert len(found.value.problems) == 5


def test_votes_in_another_order_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", **(arrays(PICTURES, VOTES, SPLITS) | {"vote_names": np.array(NAMES[::-1])}))
    with pytest.raises(DataError, match="wanted"):
        load(tmp_path / "other.npz", "train")


def test_an_unknown_split_is_refused(path):
    with pytest.raises(DataError, match="no split 'dev'"):
        load(path, "dev")


@pytest.mark.skipif(not REAL.is_file(), reason="the packed FER+ file is not there (shared/data/ferplus.npz)")
def test_the_real_file_has_the_published_split_and_faces():
    sizes = {split: len(load(REAL, split)) for split in ("train", "valid", "test")}
    assert 24_500 < sizes["train"] < 28_558
    assert all(3_000 < sizes[split] < 3_600 for split in ("valid", "test"))
    data = load(REAL, "valid")
    counts = np.bincount(data.targets.argmax(1), minlength=8)
    assert counts.argmax() == FERPLUS.index("neutral")
    assert set(np.argsort(counts)[:2]) <= {FERPLUS.index("disgust"), FERPLUS.index("contempt"), FERPLUS.index("fear")}
    image = data.image(0)
    assert image.shape == (48, 48, 3)
    assert image.std() > 10
    assert int(load(REAL, "test").agreed.sum()) == 3136  # the paper's 3,137, one of which FER+ lists twice
