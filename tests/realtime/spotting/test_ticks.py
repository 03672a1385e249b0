"""Ticks: the means of the line through the frames, whatever the camera's rate."""

import numpy as np
import pytest

from realtime.spotting.ticks import Ticks


def line(t):
    return np.array([2.0 * t, 1.0], np.float32)


def played(times, value=line, tick_s=0.02):
    ticks = Ticks(tick_s)
    return [found for t in times for found in ticks.push(t, value(t))]


@pytest.mark.parametrize("rate_hz", [17.0, 30.0, 50.0, 60.0, 200.0])
def test_a_straight_line_stays_one_at_every_rate(rate_hz):
    found = played(np.arange(0.013, 1.0, 1.0 / rate_hz))
    ends, means = np.array([end for end, _ in found]), np.stack([mean for _, mean in found])
    assert np.allclose(np.diff(ends), 0.02)
    assert ends[0] == pytest.approx(0.04)  # the first whole one
    assert np.allclose(means, np.stack([line(end - 0.01) for end in ends]), atol=1e-5)


def test_many_frames_in_a_tick_are_averaged_and_none_is_left_out():
    """A saw of period 0.02 s at 200 frames a second: each tick's mean is that of the line through 0, 1, 2, 3, 0."""
    found = played(np.arange(0, 100) / 200, lambda t: np.array([round(200 * t) % 4], np.float32))
    assert np.allclose([mean for _, mean in found], (0.5 + 1.5 + 2.5 + 1.5) / 4, atol=1e-4)


def test_a_tick_is_told_with_the_first_frame_at_or_after_its_end():
    ticks = Ticks(0.1)
    assert ticks.push(0.0, line(0.0)) == []
    assert ticks.push(0.09, line(0.09)) == []
    assert [end for end, _ in ticks.push(0.35, line(0.35))] == pytest.approx([0.2, 0.3])
