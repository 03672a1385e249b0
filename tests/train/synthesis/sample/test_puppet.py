import cv2
import numpy as np
import pytest

from realtime import config
from realtime.engine.landmarker import open_landmarker
from realtime.faces import landmarks as lm
from realtime.faces.quality import eye_distance
from train.synthesis.sample.actions import BLINK, displacement
from train.synthesis.sample.puppet import Puppet, turned

CENTRE = np.array([110.0, 100.0])


@pytest.fixture(scope="module")
def face(drawn_face):
    return drawn_face(*CENTRE, 60.0)


@pytest.fixture(scope="module")
def texture():
    noise = np.random.default_rng(2).uniform(0, 255, (240, 220, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 10, 245, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture(scope="module")
def puppet(texture, face):
    return Puppet(texture, face)


def bump(face, at, size, reach=15.0):
    """Shifts (468, 2) that pull everything around `at` by `size`, smoothly less with distance."""
    near = np.exp(-((face[:, :2] - at) ** 2).sum(1) / (2 * reach**2))
    return (near[:, None] * np.asarray(size)).astype(np.float32)


def centre_of(image, threshold=100):
    """Of the bright spot."""
    rows, columns = np.nonzero(image[..., 0] > threshold)
    weights = image[..., 0][rows, columns].astype(float)
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


def test_a_puppet_at_rest_is_the_picture(puppet, texture):
    assert np.array_equal(puppet.pose(np.zeros((lm.COUNT, 2), np.float32)), texture)


@pytest.mark.parametrize("size", [(0.0, -6.0), (5.0, 3.0), (-1.5, 0.5)])
@pytest.mark.parametrize("landmark", [lm.NOSE_BRIDGE[1], lm.LEFT_EYE_OUTER])
def test_what_lies_at_a_landmark_moves_with_it(face, landmark, size):
    at = face[landmark, :2]
    across, down = np.meshgrid(np.arange(220), np.arange(240))
    spot = 250 * np.exp(-((across - at[0]) ** 2 + (down - at[1]) ** 2) / (2 * 2.0**2))
    image = np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2)
    moved = Puppet(image, face).pose(bump(face, at, size))
    assert centre_of(moved) - centre_of(image) == pytest.approx(np.array(size), abs=0.7)


def test_what_lies_beyond_its_reach_stands_still(texture, face):
    small = Puppet(texture, face, reach=1.2)
    left = int(small.box.x)
    assert left > 3  # or nothing is asked
    moved = small.pose(bump(face, face[lm.NOSE_BRIDGE[1], :2], (8.0, 0.0)))
    assert np.array_equal(moved[:, :left], texture[:, :left])
    assert not np.array_equal(moved[:, left:], texture[:, left:])


def test_the_camera_moves_the_whole_picture(puppet, texture):
    view = np.array([[1.0, 0.0, 7.0], [0.0, 1.0, -4.0]], np.float32)
    seen = puppet.pose(np.zeros((lm.COUNT, 2), np.float32), view)
    apart = np.abs(seen[10:-10, 10:-10].astype(int) - np.roll(texture, (-4, 7), axis=(0, 1))[10:-10, 10:-10])
    assert apart.max() <= 2


def test_the_camera_does_not_change_what_the_face_does(puppet, face):
    view = np.array([[1.0, 0.0, 6.0], [0.0, 1.0, 5.0]], np.float32)
    shift = bump(face, face[lm.NOSE_BRIDGE[1], :2], (4.0, -3.0))
    still, swayed = puppet.pose(shift), puppet.pose(shift, view)
    apart = np.abs(swayed[15:-15, 15:-15].astype(int) - np.roll(still, (5, 6), axis=(0, 1))[15:-15, 15:-15])
    assert apart.mean() < 1.0


def test_a_head_that_does_not_turn_shifts_nothing(face):
    assert turned(face, 0.0, 0.0, 0.0) == pytest.approx(np.zeros((lm.COUNT, 2)), abs=1e-4)


def test_a_roll_turns_the_face_in_the_picture_by_its_angle(face):
    eyes = face[[lm.LEFT_EYE_OUTER, lm.RIGHT_EYE_OUTER], :2] + turned(face, 0.0, 0.0, 10.0)[[33, 263]]
    across = eyes[1] - eyes[0]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(("angles", "axis"), [((20.0, 0.0, 0.0), 0), ((0.0, 20.0, 0.0), 1)])
def test_a_turn_moves_what_is_near_and_leaves_the_other_axis_alone(face, angles, axis):
    shift = turned(face, *angles)
    deep = np.argsort(face[:, 2])
    assert shift[:, 1 - axis] == pytest.approx(0.0, abs=1e-3)
    assert abs(shift[deep[0], axis] - shift[deep[-1], axis]) > 1.0


@pytest.fixture(scope="module")
def person():
    """The bundled portrait, its landmarks, and who finds them."""
    pytest.importorskip("skimage", reason="the portrait comes with scikit-image")
    from train.synthesis.sample.stream import portrait

    landmarker = open_landmarker(config.load(), still=True)
    image = portrait()
    yield image, landmarker.find(image, 1)[0], landmarker
    landmarker.close()


@pytest.mark.parametrize("eye", [lm.LEFT_EYE, lm.RIGHT_EYE])
def test_lids_close_over_the_eye_as_far_as_they_are_told_to(person, eye):
    image, points, _ = person
    outline = np.round(points[list(eye), :2]).astype(np.int32)
    painted = cv2.fillPoly(np.zeros_like(image), [outline], (255, 255, 255))
    puppet = Puppet(cv2.erode(painted, np.ones((3, 3))), points)
    open_, half, closed = (
        int((puppet.pose(displacement(points, {BLINK: share}))[..., 0] > 127).sum()) for share in (0.0, 0.5, 1.0)
    )
    assert open_ > 200
    assert 0.5 * open_ < half < 0.8 * open_
    assert closed < 0.45 * open_


def test_a_smile_is_seen_by_the_tracker(person):
    image, points, landmarker = person
    (smiling,) = landmarker.find(Puppet(image, points).pose(displacement(points, {12: 1.0})), 1)
    before, after = (
        float(np.linalg.norm(found[lm.RIGHT_MOUTH, :2] - found[lm.LEFT_MOUTH, :2])) / eye_distance(found[:, :2])
        for found in (points, smiling)
    )
    assert after > 1.1 * before
