"""A bump that moves by a known amount."""

import cv2
import numpy as np
import pytest

from realtime.recognition.magnify import exaggerate

SIDE = 128
X, Y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
MOUTH = (64.0, 100.0)  # below the nodes of the head's fit
REACH = 12.0


def texture():
    noise = np.random.default_rng(4).uniform(0, 255, (SIDE, SIDE, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 20, 235, cv2.NORM_MINMAX)


def moved(image, right_px):
    """A point of `image` at the mouth goes `right_px` to the right, those around it less."""
    at_x = X.copy()
    for _ in range(20):
        near = np.exp(-((at_x - MOUTH[0]) ** 2 + (Y - MOUTH[1]) ** 2) / (2 * REACH**2))
        at_x = X - np.float32(right_px) * near.astype(np.float32)
    return cv2.remap(image, at_x, Y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).clip(0, 255).astype(np.uint8)


def apart(one, other):
    """Mean difference of grey levels around the mouth."""
    box = np.s_[80:120, 44:84]
    return float(np.abs(one[box].astype(float) - other[box]).mean())


@pytest.fixture(scope="module")
def onset():
    return texture().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("times", [1.0, 2.0, 4.0])
def test_a_movement_is_made_so_many_times_as_large(onset, times):
    made = exaggerate(onset, moved(onset, 1.0), times)
    right = [apart(made, moved(onset, px)) for px in (0.0, times, 2.0 * times)]
    assert right[1] < 0.4 * right[0]
    assert right[1] < 0.4 * right[2]


def test_without_a_movement_the_picture_stays(onset):
    assert np.abs(exaggerate(onset, onset, 8.0).astype(int) - onset).max() <= 2


def test_none_of_a_movement_is_the_onset(onset):
    np.testing.assert_array_equal(exaggerate(onset, moved(onset, 2.0), 0.0), onset)


def test_what_the_whole_head_did_is_not_made_larger(onset):
    shifted = np.roll(onset, 2, axis=1)
    made = exaggerate(onset, shifted, 4.0)
    assert apart(made, onset) < 0.25 * apart(np.roll(onset, 8, axis=1), onset)
