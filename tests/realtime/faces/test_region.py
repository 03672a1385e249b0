"""Where the landmark network looks, against what is done point by point."""

import math

import cv2
import numpy as np
import pytest

from realtime.faces import landmarks as lm
from realtime.faces.region import Region, around, around_landmarks, distinct, overlap

REGIONS = [Region(320.0, 180.0, 200.0, 0.0), Region(50.5, 300.25, 333.0, 0.4), Region(10.0, 5.0, 90.0, -1.3)]


def turned(x, y, angle):
    return math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y


@pytest.mark.parametrize("region", REGIONS)
def test_points_are_placed_where_they_were_seen(region):
    """As LandmarkProjection does it: shares of the square from its middle, turned, enlarged, moved."""
    points = np.random.default_rng(0).uniform(-20, 212, (lm.COUNT, 3)).astype(np.float32)
    placed = region.placed(points, 192)
    assert placed.dtype == np.float32
    for (x, y, z), found in zip(points.tolist(), placed.tolist(), strict=True):
        right, down = turned(x / 192 - 0.5, y / 192 - 0.5, region.angle)
        wanted = (region.x + right * region.side, region.y + down * region.side, z / 192 * region.side)
        assert found == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("region", REGIONS)
def test_the_corners_of_the_picture_are_those_of_the_square(region):
    """Of a rotated rectangle as OpenCV has it, whose angle is clockwise in the picture too."""
    corners = cv2.boxPoints(((region.x, region.y), (region.side, region.side), math.degrees(region.angle)))
    picture = np.array([[0, 64, 1], [0, 0, 1], [64, 0, 1], [64, 64, 1]])
    assert picture @ region.matrix(64).T == pytest.approx(corners, abs=1e-3)


def test_the_square_of_a_face_is_turned_by_its_eyes_and_half_as_large_again():
    found = around((100.0, 200.0, 160.0, 280.0), (110.0, 220.0), (150.0, 240.0))
    assert (found.x, found.y, found.side) == (130.0, 240.0, 120.0)
    assert found.angle == pytest.approx(math.atan2(20, 40))
    upside_down = around((0.0, 0.0, 10.0, 10.0), (8.0, 5.0), (2.0, 5.0))
    assert abs(upside_down.angle) == pytest.approx(math.pi)


def test_landmarks_say_where_to_look_next(drawn_face):
    points = drawn_face(200, 100)
    x0, y0, x1, y1 = (f(points[k, a] for k in range(lm.COUNT)) for f in (min, max) for a in (0, 1))
    across, down = points[lm.RIGHT_EYE_OUTER, :2] - points[lm.LEFT_EYE_OUTER, :2]
    found = around_landmarks(points)
    assert (found.x, found.y) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2))
    assert found.side == pytest.approx(1.5 * max(x1 - x0, y1 - y0))
    assert found.angle == pytest.approx(math.atan2(down, across))


def test_what_two_squares_share_is_counted_pixel_by_pixel():
    rng = np.random.default_rng(1)
    for _ in range(50):
        (ax, ay, bx, by), (a, b) = rng.integers(20, 60, 4).tolist(), (2 * rng.integers(2, 12, 2)).tolist()
        seen = np.zeros((2, 90, 90), bool)
        for layer, x, y, side in ((0, ax, ay, a), (1, bx, by, b)):
            seen[layer, y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = True
        wanted = (seen[0] & seen[1]).sum() / (seen[0] | seen[1]).sum()
        assert overlap(Region(ax, ay, a, 0.3), Region(bx, by, b, -1.0)) == pytest.approx(wanted)


def test_a_face_that_is_found_twice_is_looked_at_once_where_it_was_followed():
    followed, again, other = Region(100, 100, 80, 0), Region(110, 95, 80, 0.1), Region(180, 100, 80, 0)
    assert distinct([followed, again, other]) == [followed, other]
    assert distinct([again, other], known=[followed]) == [other]


@pytest.mark.parametrize(
    "region",
    [
        Region(math.nan, 0, 9, 0),
        Region(0, 0, math.inf, 0),
        Region(0, 0, 9, math.nan),
        Region(0, 0, 0, 0),
        Region(0, 0, math.nan, 0),
    ],
)
def test_there_is_nothing_to_look_at_nowhere(region):
    assert not region.usable
    assert REGIONS[0].usable
