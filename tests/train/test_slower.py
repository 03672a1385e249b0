"""Ticks through slower cameras."""

import numpy as np
import pytest

from train.slower import slower

ENDS = 10.0 + np.arange(1, 121) / 60
LINE = np.arange(120, dtype=np.float32)


def test_a_camera_as_fast_as_the_clock_changes_nothing():
    assert slower(ENDS, LINE**2, 60.0, 0.0) == pytest.approx(LINE**2, rel=1e-4)


def test_between_frames_there_are_straight_lines():
    found = slower(ENDS, LINE**2, 15.0, 0.0)  # frames at the rows 0, 4, 8 ...
    assert found[[0, 4, 40]].tolist() == pytest.approx([0, 16, 1600])
    assert found[5:8].tolist() == pytest.approx([28, 40, 52], rel=1e-4)


def test_what_lasts_less_than_a_frame_is_seen_or_not_by_the_phase():
    flash = np.zeros(120, np.float32)
    flash[42] = 1.0
    peaks = [float(slower(ENDS, flash, 15.0, phase).max()) for phase in (0.0, 0.25, 0.5, 0.75)]
    assert sorted(np.round(peaks, 3).tolist()) == [0.0, 0.0, 0.0, 1.0]


def test_rows_of_any_shape_stay_of_that_shape_and_in_place():
    rows = np.random.default_rng(1).random((120, 2, 3, 3), np.float32)
    found = slower(ENDS, rows, 12.5, 0.4)
    assert (found.shape, found.dtype) == (rows.shape, np.float32)
    for at in np.ndindex(2, 3, 3):
        assert found[(slice(None), *at)] == pytest.approx(slower(ENDS, rows[(slice(None), *at)], 12.5, 0.4))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_moment_is_enough(count):
    assert slower(ENDS[:count], LINE[:count], 12.0, 0.9).shape == (count,)
