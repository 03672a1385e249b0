import numpy as np
import pytest

from realtime.errors import DataError
from train.clips.tim import exposures, own_rate, tim, tim_weights


def clip(seed, n, shape=(8, 6)):
    return np.random.default_rng(seed).normal(size=(n, *shape))


def expose(frames, times, rate_hz, phase):
    """The frames that a slower camera sees, and when."""
    weights, middles = exposures(times, rate_hz, phase)
    return np.tensordot(weights, frames, 1), middles


def published(frames, t):
    """The model as it is published: singular value decomposition, Laplacian, one linear system; at one moment t."""
    n = len(frames)
    x = frames.reshape(n, -1).T
    mean = x.mean(1, keepdims=True)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    u, y = u[:, : n - 1], (np.diag(s) @ vt)[: n - 1]
    w = np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    _, vectors = np.linalg.eigh(np.diag(w.sum(0)) - w)
    transform = np.stack([np.linalg.lstsq(y @ y.T, y @ vectors[:, k], rcond=None)[0] for k in range(1, n)], 1)

    def f(t):
        k = np.arange(1, n)
        return np.sin(np.pi * t * k + np.pi * (n - k) / (2 * n))

    m = (y[:, 0] @ transform) / f(1 / n)
    return (u @ np.linalg.solve(transform.T, f(t) * m) + mean[:, 0]).reshape(frames.shape[1:])


@pytest.mark.parametrize("n", [2, 3, 7, 16])
def test_the_closed_form_is_the_published_model(n):
    frames = clip(n, n)
    moments = np.linspace(1 / n, 1, 9)
    found = np.tensordot(tim_weights(n, moments), frames, 1)
    for t, frame in zip(moments, found, strict=True):
        assert frame == pytest.approx(published(frames, t), abs=1e-8)


@pytest.mark.parametrize("n", [1, 2, 5, 66])
def test_the_curve_goes_through_every_frame(n):
    frames = clip(n, n)
    assert np.abs(np.tensordot(tim_weights(n, np.arange(1, n + 1) / n), frames, 1) - frames).max() < 1e-9
    assert np.abs(tim(frames, n) - frames).max() < 1e-9


def test_first_and_last_frame_stay_whatever_the_count():
    frames = clip(3, 12)
    for count in (2, 5, 16, 64):
        found = tim(frames, count)
        assert found.shape == (count, 8, 6)
        assert np.abs(found[[0, -1]] - frames[[0, -1]]).max() < 1e-9
    assert np.abs(tim(frames, 1)[0] - frames[0]).max() < 1e-9


def test_repeated_frames_and_clips_wider_in_time_than_in_space_are_exact_too():
    repeated = np.repeat(clip(4, 3), 3, axis=0)  # rank 2 of 8: the published model has no solution here
    assert np.abs(tim(repeated, 9) - repeated).max() < 1e-9
    thin = clip(5, 9, (2,))
    assert np.abs(tim(thin, 9) - thin).max() < 1e-9
    still = np.ones((6, 4))
    assert np.abs(tim(still, 11) - 1.0).max() < 1e-12


def test_it_is_linear_and_blind_to_the_order_of_pixels():
    a, b = clip(6, 7), clip(7, 7)
    assert tim(2 * a - b, 10) == pytest.approx(2 * tim(a, 10) - tim(b, 10), abs=1e-9)
    assert np.array_equal(tim(a[:, ::-1], 10), tim(a, 10)[:, ::-1])


def test_a_clip_of_nothing_is_refused():
    with pytest.raises(ValueError, match="0 frames"):
        tim(np.zeros((0, 4)), 5)


def test_pictures_become_float32_and_doubles_stay():
    assert tim(np.zeros((3, 2), np.uint8), 4).dtype == np.float32
    assert tim(np.zeros((3, 2)), 4).dtype == np.float64


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
