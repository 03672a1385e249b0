import numpy as np
import pytest

from realtime.pace import MOST_KEYS, Pace


def allowed(pace, times, key="0"):
    return [t for t in times if pace.allows(key, t)]


@pytest.mark.parametrize(
    ("camera_hz", "rate_hz", "of_a_second"), [(60, 30, 30), (60, 25, 25), (100, 30, 30), (25, 30, 25)]
)
def test_so_many_a_second_and_no_more(camera_hz, rate_hz, of_a_second):
    times = np.arange(10 * camera_hz) / camera_hz
    assert len(allowed(Pace(rate_hz), times)) == pytest.approx(10 * of_a_second, abs=1)


def test_none_asks_for_all():
    assert len(allowed(Pace(0.0), [0.0, 1e-6, 2e-6])) == 3


def test_of_an_uneven_camera_at_just_this_rate_no_frame_is_left_out_with_slack():
    times = np.arange(300) / 30 + np.random.default_rng(1).uniform(-0.004, 0.004, 300)
    assert len(allowed(Pace(30.0, 0.3), times)) == 300
    assert len(allowed(Pace(30.0), times)) < 300


def test_slack_makes_no_more_of_a_faster_camera():
    times = np.arange(600) / 60 + np.random.default_rng(1).uniform(-0.002, 0.002, 600)
    assert len(allowed(Pace(30.0, 0.3), times)) == pytest.approx(300, abs=2)


def test_each_key_has_a_grid_of_its_own():
    pace = Pace(10.0)
    assert allowed(pace, [0.0, 0.05, 0.1], 1) == [0.0, 0.1]
    assert allowed(pace, [0.03, 0.05, 0.13], 2) == [0.03, 0.13]


def test_a_clock_that_begins_anew_is_followed():
    pace = Pace(10.0)
    assert allowed(pace, [5.0, 5.1]) == [5.0, 5.1]
    assert allowed(pace, [0.0, 0.05, 0.1]) == [0.0, 0.1]


def test_after_a_pause_nothing_is_made_up_for():
    assert allowed(Pace(10.0), [0.0, 3.0, 3.05, 3.1]) == [0.0, 3.0, 3.1]


def test_the_oldest_of_many_are_forgotten():
    pace = Pace(10.0)
    for key in range(MOST_KEYS + 5):
        pace.allows(key, 0.0)
    assert len(pace._due) == MOST_KEYS
