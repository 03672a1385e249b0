import msgspec
import numpy as np
import pytest

from realtime.errors import DataError
from train.evaluation import predictions
from train.evaluation.predictions import FoldHeader, FoldPredictions, Prediction, at, classes, read, write

LABELS = ("negative", "positive")
HEADER = FoldHeader(
    schema=2, key="0123456789abcdef", fold="casme2/01", seed=7, labels=LABELS, clips=1, rates_hz=(0.0, 30.0)
)
ROWS = (
    Prediction("casme2/a", 0.0, "casme2", "casme2/01", "positive", (0.1, 0.9)),
    Prediction("casme2/a", 30.0, "casme2", "casme2/01", "positive", (1 / 3, 2 / 3)),
)
FOLD = FoldPredictions(HEADER, ROWS)
OTHERS = ("negative", (1 / 3, 2 / 3)), ("positive", (0.5, 0.5))


def test_what_is_written_is_read_again_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(1)
    shares = rng.dirichlet([1.0, 1.0], 50).astype(np.float32)
    rows = tuple(
        Prediction(f"é/{i}", 0.0, "é", "é/01", "positive", tuple(float(p) for p in row)) for i, row in enumerate(shares)
    )
    fold = FoldPredictions(msgspec.structs.replace(HEADER, clips=50, rates_hz=(0.0,)), rows)
    write(tmp_path / "p.jsonl", fold)
    assert read(tmp_path / "p.jsonl") == fold
    again = np.array([row.probabilities for row in read(tmp_path / "p.jsonl").rows], np.float32)
    assert again.tobytes() == shares.tobytes()


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "p.jsonl"
    write(path, FOLD)
    before = path.read_bytes()

    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write(path, FOLD)
    assert path.read_bytes() == before
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path / "new.jsonl", FOLD)
    assert list(tmp_path.iterdir()) == [path]


def lines(**changes):
    """The file of FOLD, with the first prediction changed."""
    row = msgspec.to_builtins(ROWS[0]) | changes
    return b"\n".join(msgspec.json.encode(line) for line in (HEADER, row, ROWS[1])) + b"\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (lines()[:-30], r":3: Input data was truncated"),
        (lines().rsplit(b"\n", 2)[0], "1 predictions, the header says 1 at each of 2 rates"),
        (lines(id=5), r":2: Expected `str`, got `int` - at `\$.id`"),
        (lines(mood="fine"), "unknown field `mood`"),
        (lines(rate_hz=30.0), "casme2/a: there 2 times at 30 Hz"),
        (lines(rate_hz=60.0), "casme2/a: at 60 Hz, wanted one of its own rate, 30 Hz"),
        (lines(truth="surprise"), "casme2/a: label 'surprise', wanted one of negative, positive"),
        (lines(probabilities=[1.0]), "casme2/a: 1 probabilities, wanted 2"),
        (lines(probabilities=[0.2, 0.9]), "casme2/a: probabilities that sum to 1.1"),
        (lines(probabilities=[-0.1, 1.1]), "casme2/a: probabilities .* at least 0"),
        (lines().replace(b'"schema":2', b'"schema":1'), r":1: Invalid enum value 1 - at `\$.schema`"),
        (b"\xff" + lines(), ":1: "),
    ],
)
def test_anything_else_is_refused_by_file_and_place(tmp_path, content, problem):
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem) as refusal:
        read(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_could_not_be_read_is_not_written(tmp_path, bad):
    broken = msgspec.structs.replace(ROWS[0], probabilities=(bad, 0.5))
    with pytest.raises(DataError, match="wanted finite ones"):
        write(tmp_path / "p.jsonl", FoldPredictions(HEADER, (broken, ROWS[1])))
    assert list(tmp_path.iterdir()) == []


def test_classes_are_places_in_the_vocabulary_and_ties_go_to_the_first():
    rows = (ROWS[0], *(msgspec.structs.replace(ROWS[0], truth=t, probabilities=p) for t, p in OTHERS))
    truth, said = classes(rows, LABELS)
    assert truth.tolist() == [1, 0, 1]
    assert said.tolist() == [1, 1, 0]
    assert predictions.SCHEMA == 2


def test_the_rows_of_one_rate_keep_their_order():
    rows = [*ROWS, *(msgspec.structs.replace(row, id="casme2/b") for row in ROWS)]
    assert at(rows, 30.0) == rows[1::2]
    assert at(rows, 25.0) == []
