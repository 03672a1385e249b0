"""Crops of a face whose movement is known."""

import cv2
import numpy as np
import pytest

from realtime.records import Crop, Pose

SIZE = 64
POINTS, MATRIX = np.zeros((1, 2), np.float32), np.eye(2, 3, dtype=np.float32)
GREY = np.full((SIZE, SIZE, 3), 127, np.uint8)


@pytest.fixture(scope="session")
def crop():
    """A crop at a time, of a picture if it matters, and of a head that has turned so far."""

    def made(t, image=GREY, pose=(0.0, 0.0, 0.0)):
        return Crop(1, t, image, POINTS, MATRIX, Pose(*pose))

    return made


@pytest.fixture(scope="session")
def moved():
    """A picture in which the left brow has risen by so many px."""
    noise = cv2.GaussianBlur(np.random.default_rng(3).uniform(0, 255, (SIZE, SIZE, 3)), (0, 0), 1.5)
    texture = cv2.normalize(noise.astype(np.float32), None, 20, 235, cv2.NORM_MINMAX)
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    near = np.exp(-((x - 20) ** 2 + (y - 18) ** 2) / (2 * 5.0**2))

    def picture(amount):
        return cv2.remap(texture, x, (y + amount * near).astype(np.float32), cv2.INTER_LINEAR).astype(np.uint8)

    return picture
