import cv2
import numpy as np
import pytest

from realtime.faces.quality import bounding_box, head_pose
from realtime.records import Face, Frame, Quality
from realtime.representation.movement import motion
from train.datasets.marked.marks import Mark
from train.datasets.marked.weaken import CROP_PX, WeakenedSource, Weakener, sighted

SIZE, EYE_PX = 320, 134.0  # the crop's own scale: nothing is scaled on the way
CORNER = (205.0, 218.0)  # beside the mouth of a face whose eyes' middle is at (160, 130)
MOVED = 9.0


@pytest.fixture(scope="module")
def scene():
    """(SIZE, SIZE, 3) of soft blobs, which flow can follow everywhere."""
    noise = np.random.default_rng(4).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3.0)
    return cv2.normalize(soft, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


def bump(px):
    """(SIZE, SIZE, 2): what a corner of the mouth does that goes up by `px`."""
    columns, rows = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    near = np.exp(-((columns - CORNER[0]) ** 2 + (rows - CORNER[1]) ** 2) / (2 * 22.0**2))
    return np.stack([np.zeros_like(near), -px * near], axis=2).astype(np.float32)


def displaced(picture, field):
    """`picture` whose content moves by `field`, found by going round as long as it takes."""
    grid = np.stack(np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32)), axis=2)
    at = grid.copy()
    for _ in range(30):
        at = grid - cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def measured(before, now):
    """Median displacement (right, down) in px around the corner."""
    flow = motion.Flow()(motion.grey(before), motion.grey(now))
    x, y = map(round, CORNER)
    return np.median(flow[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 2), axis=0)


@pytest.mark.parametrize("share", [1 / 3, 0.5, 0.75])
def test_a_share_of_a_known_movement_is_left(scene, drawn_face, share):
    points = drawn_face(160.0, 130.0, EYE_PX)
    now = displaced(scene, bump(MOVED))
    assert measured(scene, now) == pytest.approx((0.0, -MOVED), abs=0.8)
    weak = Weakener(share).weaken(now, sighted(now, points), sighted(scene, points))
    assert measured(scene, weak) == pytest.approx((0.0, -MOVED * share), abs=0.8)


def test_the_head_keeps_its_movement(scene, drawn_face):
    points = drawn_face(160.0, 130.0, EYE_PX)
    shift = np.array([[1, 0, 5], [0, 1, 3]], np.float32)
    now = cv2.warpAffine(displaced(scene, bump(MOVED)), shift, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    for found in (points + np.array([5, 3, 0], np.float32), points):  # landmarks that follow, and such as do not
        weak = Weakener(1 / 3).weaken(now, sighted(now, found), sighted(scene, points))
        back = cv2.warpAffine(weak, -shift + 2 * np.eye(2, 3, dtype=np.float32), (SIZE, SIZE))
        assert measured(scene, back) == pytest.approx((0.0, -MOVED / 3), abs=1.0)


def test_all_of_it_and_what_lies_outside_of_the_face_stay_as_they_are(scene, drawn_face):
    points = drawn_face(160.0, 130.0, EYE_PX)
    now = displaced(scene, bump(MOVED))
    same = Weakener(1.0).weaken(now, sighted(now, points), sighted(scene, points))
    assert np.abs(same.astype(int) - now).max() <= 1
    weak = Weakener(1 / 3).weaken(now, sighted(now, points), sighted(scene, points))
    hull = cv2.convexHull(np.ascontiguousarray(points[:, :2]))
    outside = cv2.fillConvexPoly(np.ones((SIZE, SIZE), np.uint8), hull.round().astype(np.int32), 0).astype(bool)
    assert (weak[outside] == now[outside]).mean() > 0.99
    assert (weak[~outside] != now[~outside]).mean() > 0.05


class Seen:
    """A tracker that sees one face at the same place, or none."""

    def __init__(self, points):
        self.points, self.asked = points, []

    def push(self, frame):
        self.asked.append(frame.t)
        if self.points is None:
            return []
        box, pose = bounding_box(self.points), head_pose(self.points)
        return [Face(1, frame.t, box, self.points, pose, Quality(EYE_PX, 100.0, 120.0, ()))]


class Pictures:
    rate_hz, live, dropped = 10.0, False, 0

    def __init__(self, images):
        self.images = images

    def frames(self):
        for i, image in enumerate(self.images):
            yield Frame(image, i / 10, i, 0, 0.0)

    def close(self):
        pass


def test_only_marked_frames_are_pulled_each_towards_its_own_onset(scene, drawn_face):
    points = drawn_face(160.0, 130.0, EYE_PX)
    images = [displaced(scene, bump(px)) for px in (0.0, MOVED, 0.0, MOVED, MOVED)]
    marks = [Mark(0.2, 0.3, 0.3, 0.35, "positive", "happiness")]
    tracker = Seen(points)
    found = [frame.image for frame in WeakenedSource(Pictures(images), marks, 1 / 3, tracker).frames()]
    assert tracker.asked == pytest.approx([0.2, 0.3])
    for i in (0, 1, 2, 4):
        assert found[i] is images[i]
    assert measured(scene, found[3]) == pytest.approx((0.0, -MOVED / 3), abs=0.8)


def test_pictures_without_a_face_pass_as_they_are(scene):
    marks = [Mark(0.0, 0.1, 0.2, 0.3, "positive", "happiness")]
    images = [scene, scene]
    found = [frame.image for frame in WeakenedSource(Pictures(images), marks, 0.3, Seen(None)).frames()]
    assert all(a is b for a, b in zip(found, images, strict=True))


def test_the_crop_is_at_the_scale_that_the_head_was_fitted_at(scene, drawn_face):
    cut = sighted(scene, drawn_face(160.0, 130.0, EYE_PX))
    assert np.hypot(*cut.matrix[0, :2]) == pytest.approx(motion.layout(CROP_PX).eye_px / EYE_PX, rel=1e-3)
