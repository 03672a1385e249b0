from itertools import pairwise

import numpy as np

from train.packaging import golden
from train.packaging.golden import CANDIDATES, INT8_ROWS, golden_crops, surest, varied


def faces(count):
    return list(np.random.default_rng(1).integers(0, 256, (count, 48, 48, 3), dtype=np.uint8))


def test_int8_is_checked_with_more_crops_and_others(monkeypatch):
    monkeypatch.setattr(golden, "sample_crops", faces)
    assert np.array_equal(golden_crops("fp32"), faces(4))
    assert np.array_equal(golden_crops("fp16"), faces(4))
    assert np.array_equal(golden_crops("int8"), varied(faces(CANDIDATES)))


def test_varied_crops_are_crops_and_differ_though_the_face_does_not():
    same = varied([faces(1)[0]] * 6)
    assert {(crop.shape, crop.dtype.name, crop.flags["C_CONTIGUOUS"]) for crop in same} == {
        ((48, 48, 3), "uint8", True)
    }
    assert all(np.abs(a.astype(float) - b).mean() > 5 for a, b in pairwise(same))
    assert np.array_equal(same, varied([faces(1)[0]] * 6))


def test_the_rows_next_to_a_tie_are_left_out_and_the_others_stay_in_order():
    margins = np.random.default_rng(1).permutation(CANDIDATES) / 10
    logits = np.stack([np.zeros(CANDIDATES), margins, np.full(CANDIDATES, -9.0)], 1).astype(np.float32)
    kept = surest(logits)
    assert list(kept) == sorted(kept)
    assert sorted(margins[kept]) == sorted(margins)[-INT8_ROWS:]
    assert INT8_ROWS * 0.02 >= 1  # one label may change
