import numpy as np
import pytest

from train.synthesis.face.spread import spread

RNG = np.random.default_rng(1)
POINTS = RNG.uniform(8, 40, (600, 2)).astype(np.float32)
ONES = np.ones(len(POINTS), np.float32)


def test_a_constant_stays_itself_everywhere():
    field = spread(POINTS, np.full((len(POINTS), 2), 3.0, np.float32), ONES, 48)
    assert field.shape == (48, 48, 2)
    assert field == pytest.approx(np.full((48, 48, 2), 3.0), abs=1e-4)


def test_a_slope_is_found_again_between_the_points():
    field = spread(POINTS, POINTS[:, :1].copy(), ONES, 48)[..., 0]
    across = np.broadcast_to(np.arange(48, dtype=np.float32), (48, 48))
    assert np.abs(field - across)[12:36, 12:36].max() < 1.0


def test_points_outside_the_picture_change_nothing():
    far = np.concatenate([POINTS, [[-30.0, 5.0], [5.0, 90.0]]]).astype(np.float32)
    values = np.concatenate([np.ones((len(POINTS), 1)), [[50.0], [50.0]]]).astype(np.float32)
    field = spread(far, values, np.ones(len(far), np.float32), 48)
    assert field == pytest.approx(np.ones((48, 48, 1)), abs=1e-4)
