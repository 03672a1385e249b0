import cv2
import numpy as np
import pytest

from realtime.capture.source import open_source
from realtime.engine.landmarker import open_landmarker
from realtime.faces import landmarks as lm
from realtime.faces import quality
from realtime.faces.quality import bounding_box, eye_distance, head_pose
from realtime.records import Box, Pose

BOX = Box(20.0, 30.0, 100.0, 120.0)
STRAIGHT = Pose(0.0, 0.0, 0.0)
NOSE_TIP = 1


def turned(points, yaw=0.0, pitch=0.0, roll=0.0):
    """The face turned in degrees: in its own plane, then up, then to the picture's right (x right, y down, z away)."""
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    rolled = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    raised = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    swung = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    return (points @ (swung @ raised @ rolled).T).astype(np.float32)


def angles(pose):
    return pose.yaw, pose.pitch, pose.roll


def picture(mean=128.0, contrast=40.0):
    """Noise around a grey level: sharp everywhere."""
    grey = np.random.default_rng(0).normal(mean, contrast, (240, 320)).clip(0, 255)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def reasons(drawn_face, image, pose=STRAIGHT, eye_px=80.0):
    return quality.quality(image, drawn_face(80, 90, eye_px), BOX, pose).reasons


def test_the_box_just_holds_the_points():
    points = np.array([[3, 9, 5], [1, 4, -7], [2, 6, 0]], np.float32)
    assert bounding_box(points) == Box(1.0, 4.0, 2.0, 5.0)


def test_the_eye_distance_is_between_the_outer_corners(drawn_face):
    assert eye_distance(drawn_face(0, 0, 73.0)[:, :2]) == pytest.approx(73.0, rel=1e-5)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (20, 0, 0), (-35, 0, 0), (0, 15, 0), (0, -30, 0), (0, 0, 25), (0, 0, -60)],
)
def test_a_turn_about_one_axis_is_measured_with_its_sign(drawn_face, yaw, pitch, roll):
    pose = head_pose(turned(drawn_face(0, 0), yaw, pitch, roll))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=0.05)


def test_yaw_and_pitch_say_where_the_nose_points_however_the_head_is_tilted(drawn_face):
    pose = head_pose(turned(drawn_face(0, 0), yaw=20, pitch=-10, roll=30))
    assert (pose.yaw, pose.pitch) == pytest.approx((20, -10), abs=0.05)


def test_pose_does_not_depend_on_where_the_face_is_or_how_large(drawn_face):
    near, far = turned(drawn_face(0, 0, 200.0), 12, 7, -5), turned(drawn_face(0, 0, 30.0), 12, 7, -5)
    far[:, :2] += (200.0, 90.0)
    assert angles(head_pose(near)) == pytest.approx(angles(head_pose(far)), abs=0.02)


def test_a_degenerate_face_has_a_pose_all_the_same():
    assert np.isfinite(angles(head_pose(np.zeros((lm.COUNT, 3), np.float32)))).all()


def landmarks_of(path, stages):
    landmarker = open_landmarker(stages)
    frames = open_source(str(path), stages.source, fast=True).frames()
    found = [points for frame in frames for points in landmarker.find(frame.image, 1)]
    landmarker.close()
    return found


def test_a_real_nose_moves_the_way_that_the_pose_says(clip, stages):
    found = landmarks_of(clip("head-pose-face-detection-female.gif"), stages)
    eyes = [points[[lm.LEFT_EYE_INNER, lm.RIGHT_EYE_INNER], 0].mean() for points in found]
    aside = [(points[NOSE_TIP, 0] - middle) / eye_distance(points) for points, middle in zip(found, eyes, strict=True)]
    yaw = [head_pose(points).yaw for points in found]
    assert max(yaw) - min(yaw) > 40
    assert np.corrcoef(aside, yaw)[0, 1] > 0.95


def test_a_real_face_that_looks_into_the_camera_has_a_small_pose(clip, stages):
    poses = np.array([angles(head_pose(points)) for points in landmarks_of(clip("single_face.mp4"), stages)])
    assert np.abs(poses).max() < 10


def test_a_good_picture_gives_no_reason(drawn_face):
    found = quality.quality(picture(), drawn_face(80, 90), BOX, STRAIGHT)
    assert found.reasons == ()
    assert found.size_px == pytest.approx(80.0, rel=1e-4)
    assert found.brightness == pytest.approx(128.0, abs=2.0)


@pytest.mark.parametrize(
    ("image", "pose", "eye_px", "reason"),
    [
        (picture(), STRAIGHT, 35.0, "small"),
        (cv2.GaussianBlur(picture(), (0, 0), 5), STRAIGHT, 80.0, "blurred"),
        (picture(30.0, 8.0), STRAIGHT, 80.0, "dark"),
        (picture(235.0, 8.0), STRAIGHT, 80.0, "bright"),
        (picture(), Pose(26.0, 0.0, 0.0), 80.0, "turned"),
        (picture(), Pose(0.0, -26.0, 0.0), 80.0, "turned"),
    ],
    ids=["small", "blurred", "dark", "bright", "yaw", "pitch"],
)
def test_each_fault_is_named_alone(drawn_face, image, pose, eye_px, reason):
    assert reasons(drawn_face, image, pose, eye_px) == (reason,)


def test_a_head_on_its_side_is_not_turned_away(drawn_face):
    assert reasons(drawn_face, picture(), Pose(0.0, 0.0, 80.0)) == ()


def test_all_faults_are_named_together(drawn_face):
    black = np.zeros((240, 320, 3), np.uint8)
    assert reasons(drawn_face, black, Pose(-40.0, 0.0, 0.0), 20.0) == ("small", "blurred", "dark", "turned")


def test_only_the_face_is_judged(drawn_face):
    image = np.zeros((240, 320, 3), np.uint8)
    image[30:150, 20:120] = picture()[30:150, 20:120]
    assert reasons(drawn_face, image) == ()


def test_sharpness_is_the_variance_of_the_laplacian():
    image = picture()
    size = quality.PATCH_PX
    grey = image[:size, :size, 0].astype(np.float64)
    framed = np.pad(grey, 1, mode="reflect")
    laplacian = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:] - 4 * grey
    found = quality.quality(image, np.zeros((lm.COUNT, 3), np.float32), Box(0, 0, size, size), STRAIGHT)
    assert found.sharpness == pytest.approx(laplacian.var(), rel=1e-5)


@pytest.mark.parametrize("box", [Box(-60, -60, 100, 100), Box(300, 200, 100, 100)])
def test_a_face_half_outside_the_picture_is_judged_by_what_is_in_it(drawn_face, box):
    assert quality.quality(picture(), drawn_face(0, 0), box, STRAIGHT).brightness == pytest.approx(128.0, abs=5.0)


def test_a_face_outside_the_picture_is_worth_nothing(drawn_face):
    found = quality.quality(picture(), drawn_face(0, 0), Box(400, 30, 90, 90), STRAIGHT)
    assert (found.sharpness, found.brightness) == (0.0, 0.0)
    assert "dark" in found.reasons
