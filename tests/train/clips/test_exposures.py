import numpy as np
import pytest

from realtime.errors import DataError
from train.clips.exposures import exposures, own_rate


def clip(seed, n, shape=(8, 6)):
    return np.random.default_rng(seed).normal(size=(n, *shape))


def expose(frames, times, rate_hz, phase):
    """The frames that a slower camera sees, and when."""
    weights, middles = exposures(times, rate_hz, phase)
    return np.tensordot(weights, frames, 1), middles


def test_half_the_rate_averages_pairs():
    values = np.arange(10.0)[:, None] ** 2
    found, times = expose(values, np.arange(10) / 200, 100.0, phase=0.0)
    assert found[:, 0].tolist() == pytest.approx([(a * a + (a + 1) ** 2) / 2 for a in range(0, 10, 2)])
    assert times.tolist() == pytest.approx([0.0025 + 0.01 * i for i in range(5)])


def test_a_phase_of_one_input_frame_averages_the_other_pairs():
    found, times = expose(np.arange(10.0)[:, None], np.arange(10) / 200, 100.0, phase=0.5)
    assert found[:, 0].tolist() == pytest.approx([1.5, 3.5, 5.5, 7.5])
    assert times.tolist() == pytest.approx([0.0075, 0.0175, 0.0275, 0.0375])


def test_frames_that_are_covered_in_part_count_for_that_part():
    found, _ = expose(np.arange(10.0)[:, None], np.arange(10) / 200, 60.0, phase=0.0)  # 3 1/3 frames each
    assert found[0, 0] == pytest.approx((0 + 1 + 2 + 3 / 3) / (10 / 3))
    assert found[1, 0] == pytest.approx((2 / 3 * 3 + 4 + 5 + 2 / 3 * 6) / (10 / 3))


@pytest.mark.parametrize("rate_hz", [100.0, 60.0, 30.0, 25.0])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.99])
def test_every_rate_keeps_its_pace_and_the_brightness(rate_hz, phase):
    times = 3.0 + np.arange(200) / 200
    found, middles = expose(np.ones((200, 2)), times, rate_hz, phase)
    assert found == pytest.approx(1.0)
    assert np.diff(middles) == pytest.approx(1 / rate_hz)
    assert len(middles) == int(rate_hz * 1.0 - phase + 1e-6)
    assert times[0] - 0.0025 <= middles[0] - 0.5 / rate_hz + 1e-9
    assert middles[-1] + 0.5 / rate_hz <= times[-1] + 0.0025 + 1e-9


def test_a_flash_is_spread_by_its_share_of_the_exposure():
    values = np.zeros((200, 1))
    values[103] = 1.0
    found, _ = expose(values, np.arange(200) / 200, 25.0, phase=0.0)
    assert float(found.max()) == pytest.approx(1 / 8)
    assert float(found.sum()) == pytest.approx(1 / 8)


def test_the_same_rate_changes_nothing_even_with_jitter():
    times = np.arange(30) / 30 + np.random.default_rng(8).uniform(-0.002, 0.002, 30)
    values = clip(9, 30)
    found, _ = expose(values, np.arange(30) / 30, 30.0, phase=0.0)
    assert found == pytest.approx(values, abs=1e-9)
    jittered, _ = expose(np.ones((30, 1)), times, 25.0, phase=0.5)
    assert jittered == pytest.approx(1.0)


def test_a_clip_shorter_than_an_exposure_gives_none():
    weights, middles = exposures(np.arange(6) / 200, 25.0, phase=0.0)
    assert (weights.shape, middles.shape) == ((0, 6), (0,))


def test_what_the_clip_cannot_show_is_refused_with_the_reason():
    times = np.arange(6) / 200
    assert own_rate(times) == pytest.approx(200.0)
    with pytest.raises(DataError, match=r"200\.0 Hz cannot show 300\.0 Hz"):
        exposures(times, 300.0, phase=0.0)
    with pytest.raises(DataError, match="at least 2"):
        exposures(times[:1], 25.0, phase=0.0)
