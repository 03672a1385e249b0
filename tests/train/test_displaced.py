import re

import numpy as np
import pytest

from realtime.errors import DataError
from train.displaced import Displaced, read, write

LABELS = ("negative", "positive")


def movements(labels=LABELS, moments=4, **changes):
    count = len(labels)
    fields = np.random.default_rng(1).normal(0, 0.01, (count, moments, 2, 28, 28)).astype(np.float16)
    made = {"fields": fields, "labels": np.array(labels), "subjects": np.array([f"p{i}" for i in range(count)])}
    return Displaced(**(made | changes))


def test_what_is_written_is_read_of_all_files_without_those_who_are_held_out(tmp_path):
    paths = [tmp_path / name for name in ("a.npz", "b.npz")]
    for path in paths:
        write(path, movements())
    found = read(list(map(str, paths)), LABELS, frozenset({"p1"}))
    assert len(found) == 2
    assert found.labels.tolist() == ["negative"] * 2
    assert found.subjects.tolist() == ["p0"] * 2
    assert np.array_equal(found.fields[1], movements().fields[0])


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"labels": np.array(["negative", "sad"])}, "label 'sad', wanted one of negative, positive"),
        ({"subjects": np.array(["p"])}, "2 labels, 1 subjects"),
        ({"fields": np.zeros((2, 4, 2, 14, 14))}, "float16 [2, 4, 2, 14, 14], wanted float16 [K, T, 2, 28, 28]"),
        ({"fields": np.full((2, 4, 2, 28, 28), np.nan)}, "numbers that are none"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, wrong, part):
    write(tmp_path / "a.npz", movements(**wrong))
    with pytest.raises(DataError, match=re.escape(part)):
        read([str(tmp_path / "a.npz")], LABELS, frozenset())


def test_files_that_do_not_fit_each_other_or_are_none_are_named(tmp_path):
    write(tmp_path / "a.npz", movements())
    write(tmp_path / "b.npz", movements(moments=6))
    (tmp_path / "c.npz").write_bytes(b"nothing")
    np.savez(tmp_path / "d.npz", fields=np.zeros(1))
    for names, part in [("ab", "b.npz: 6"), ("c", "holds no movements"), ("d", "holds no movements"), ("e", "no file")]:
        with pytest.raises(DataError, match=part):
            read([str(tmp_path / f"{name}.npz") for name in names], LABELS, frozenset())
    with pytest.raises(DataError, match="anybody to train on"):
        read([str(tmp_path / "a.npz")], LABELS, frozenset({"p0", "p1"}))
