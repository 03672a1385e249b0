import numpy as np
import pytest

from realtime.representation.interpolation import tim, tim_weights


def clip(seed, n, shape=(8, 6)):
    return np.random.default_rng(seed).normal(size=(n, *shape))


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
