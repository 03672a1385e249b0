import cv2
import numpy as np
import pytest

from realtime.representation.movement.change import mean_grey, upon


def face(seed=1, size=48):
    """A smooth grey picture float32 (S, S) in [0, 1], such as may be shifted by parts of a pixel."""
    noise = np.random.default_rng(seed).uniform(0, 1, (6, 6)).astype(np.float32)
    return np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0.05, 0.95)


def colour(picture):
    return np.repeat((picture * 255).round().astype(np.uint8)[..., None], 3, axis=2)


def test_pictures_that_cannot_be_brought_together_stay_as_they_are():
    flat = np.full((48, 48), 0.5, np.float32)
    assert np.array_equal(upon(flat, face()), face())


def test_frames_around_a_moment_are_averaged_and_at_least_the_nearest_is_seen():
    times, images = (
        np.array([0.0, 0.01, 0.02, 0.1]),
        [np.full((48, 48, 3), level, np.uint8) for level in (0, 30, 60, 9)],
    )
    levels = [(0.0, 0.0, 0), (0.01, 0.012, 30), (0.01, 0.005, 30), (0.07, 0.005, 9), (9.0, 0.02, 9)]
    for moment, around_s, level in levels:
        assert mean_grey(times, images, moment, around_s, 24) == pytest.approx(level / 255, abs=1e-6)


def test_a_picture_is_as_grey_as_its_colours_are_bright():
    image = np.zeros((48, 48, 3), np.uint8)
    image[...] = (200, 100, 50)
    grey = (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255
    assert mean_grey(np.array([0.0]), [image], 0.0, 0.0, 24) == pytest.approx(grey, abs=1e-5)
