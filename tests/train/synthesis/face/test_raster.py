import numpy as np
import pytest

from train.synthesis.face.raster import rasterise

SQUARE = np.array([[2.0, 2.0, 5.0], [12.2, 2.0, 5.0], [12.2, 9.1, 5.0], [2.0, 9.1, 5.0]], np.float32)
FRONT = np.array([[0, 3, 2], [0, 2, 1]])  # wound so that it is seen


def test_a_square_covers_each_of_its_pixels_once():
    found = rasterise(SQUARE, FRONT, 16)
    rows, columns = np.divmod(found.pixels, 16)
    assert len(found.pixels) == 11 * 8
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 9, 2, 12)


def test_shares_give_the_place_of_the_pixel():
    found = rasterise(SQUARE, FRONT, 16)
    at = (found.shares[..., None] * SQUARE[FRONT[found.triangles]]).sum(1)
    assert at[:, 0] == pytest.approx(found.pixels % 16, abs=1e-4)
    assert at[:, 1] == pytest.approx(found.pixels // 16, abs=1e-4)


def test_the_nearest_is_shown_and_what_faces_away_is_not():
    nearer = SQUARE + np.array([3.0, 0.0, -2.0], np.float32)
    points = np.concatenate([SQUARE, nearer])
    both = rasterise(points, np.concatenate([FRONT, FRONT + 4]), 20)
    shown = {int(pixel % 20): int(triangle) >= 2 for pixel, triangle in zip(both.pixels, both.triangles, strict=True)}
    assert not shown[3]
    assert shown[8]
    assert shown[15]
    assert (
        len(rasterise(np.concatenate([SQUARE, nearer]), np.concatenate([FRONT, FRONT[:, ::-1] + 4]), 20).pixels) == 88
    )
