import numpy as np
import pytest

from realtime.representation.movement.pooling import SMALL, means, pooled


def test_means_are_of_the_values_of_each_cell():
    values = np.random.default_rng(2).standard_normal((3, 2, 28, 28)).astype(np.float32)
    found = means(values, 7)
    assert found.shape == (3, 2, 7, 7)
    for row, column in np.ndindex(7, 7):
        wanted = values[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].mean((-2, -1))
        assert found[..., row, column] == pytest.approx(wanted, abs=1e-6)


def test_a_small_movement_is_near_1_and_a_large_one_not_far_beyond():
    field = np.stack([np.full((4, 4), SMALL), np.full((4, 4), -100 * SMALL)]).astype(np.float32)
    found = pooled(field, 2)
    assert (found.shape, found.dtype) == ((8,), np.float32)
    assert found[:4] == pytest.approx(np.arcsinh(1.0))
    assert found[4:] == pytest.approx(-np.arcsinh(100.0))  # 5.3
