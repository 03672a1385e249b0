import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.faces import align
from realtime.faces import landmarks as lm
from realtime.faces.align import TEMPLATE, Aligner, similarity
from realtime.faces.quality import bounding_box
from realtime.records import Face, Frame, Pose, Quality

SIZE = 128
RATE = 60.0
RIGID = list(lm.RIGID)


def face_of(points, t=0.0):
    return Face(3, t, bounding_box(points), points, Pose(1.0, 2.0, 3.0), Quality(80.0, 50.0, 120.0, ()))


def frame_of(image, t=0.0):
    return Frame(image, t, 0, gap=0, grabbed=0.0)


def noise(height=240, width=320, blur=2.0):
    grain = np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.GaussianBlur(grain, (0, 0), blur)


def moved(points, turn_deg, scale, shift):
    """Points after a known similarity; z is not touched."""
    angle = np.radians(turn_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    result = points.copy()
    result[:, :2] = points[:, :2] @ turn.T + shift
    return result


def on_template(seed=0):
    """A face that already lies in the crop: rigid points on the template, the others anywhere."""
    points = np.random.default_rng(seed).uniform(0, SIZE, (lm.COUNT, 3)).astype(np.float32)
    points[RIGID, :2] = TEMPLATE * SIZE
    return points


def mapped(matrix, points):
    return points[:, :2] @ matrix[:, :2].T + matrix[:, 2]


@pytest.fixture
def aligner():
    return Aligner(config.load().align)


def test_a_face_on_the_template_needs_no_change():
    assert similarity(on_template(), SIZE) == pytest.approx(np.eye(2, 3), abs=1e-4)


@pytest.mark.parametrize(
    ("turn_deg", "scale", "shift"),
    [(0, 1, (40, -7)), (30, 1, (0, 0)), (-75, 1, (3, 4)), (0, 2.5, (0, 0)), (170, 0.3, (500, 200))],
)
def test_a_known_similarity_is_undone(turn_deg, scale, shift):
    points = moved(on_template(), turn_deg, scale, shift)
    matrix = similarity(points, SIZE)
    assert mapped(matrix, points) == pytest.approx(on_template()[:, :2], abs=2e-3)
    assert np.hypot(*matrix[:, 0]) == pytest.approx(1 / scale, rel=1e-4)


def test_no_other_similarity_comes_nearer_to_the_template():
    points = on_template() + np.random.default_rng(1).normal(0, 4, (lm.COUNT, 3)).astype(np.float32)
    source, target = points[RIGID, :2].astype(float), TEMPLATE.astype(float) * SIZE
    rows = [row for x, y in source for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    a, b, right, down = np.linalg.lstsq(np.array(rows), target.ravel(), rcond=None)[0]
    assert similarity(points, SIZE) == pytest.approx(np.array([[a, -b, right], [b, a, down]]), rel=1e-4, abs=1e-3)


@pytest.mark.promise(
    "a blink, a glance or a nod's brows move landmarks",
    "the alignment looks at corners of eyes and nose alone: the crop does not move",
    "1 of 1",
)
def test_only_rigid_points_decide():
    points, smile = on_template(), on_template(seed=9)
    assert np.array_equal(similarity(points, SIZE), similarity(smile, SIZE))


@pytest.mark.promise(
    "a profile whose landmarks fall together",
    "numbers, no crash",
    "1 of 1",
)
def test_a_face_of_one_point_gives_numbers():
    assert np.isfinite(similarity(np.zeros((lm.COUNT, 3), np.float32), SIZE)).all()


def test_landmarks_travel_with_the_picture():
    image = np.zeros((240, 320, 3), np.uint8)
    points = moved(on_template(), 20, 1.4, (60, 30))
    x, y = points[lm.RIGHT_EYE_OUTER, :2]
    cv2.circle(image, (round(float(x)), round(float(y))), 3, (255, 255, 255), -1)
    crop = align.crop(frame_of(image), face_of(points), similarity(points, SIZE), SIZE)
    rows, columns = np.nonzero(crop.image[..., 0] > 127)
    assert (columns.mean(), rows.mean()) == pytest.approx(crop.landmarks[lm.RIGHT_EYE_OUTER], abs=0.6)
    assert crop.landmarks[lm.RIGHT_EYE_OUTER] == pytest.approx(TEMPLATE[3] * SIZE, abs=1e-2)


def test_a_crop_says_whose_it_is_and_when():
    points = on_template()
    crop = align.crop(frame_of(noise(), 1.25), face_of(points, 1.25), similarity(points, SIZE), SIZE)
    assert (crop.face, crop.t, crop.pose) == (3, 1.25, Pose(1.0, 2.0, 3.0))
    assert (crop.image.shape, crop.image.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert (crop.landmarks.shape, crop.landmarks.dtype) == ((lm.COUNT, 2), np.float32)


def test_whole_pixels_are_cut_out_untouched():
    image = noise()
    matrix = np.array([[1, 0, -40], [0, 1, -25]], np.float32)
    crop = align.crop(frame_of(image), face_of(on_template()), matrix, SIZE)
    assert np.array_equal(crop.image, image[25 : 25 + SIZE, 40 : 40 + SIZE])


def test_what_lies_outside_the_picture_repeats_its_border():
    image = noise()
    matrix = np.array([[1, 0, 20], [0, 1, 0]], np.float32)
    crop = align.crop(frame_of(image), face_of(on_template()), matrix, SIZE)
    assert np.array_equal(crop.image[:, :21], np.repeat(image[:SIZE, :1], 21, axis=1))


def test_a_turned_crop_is_what_interpolating_by_hand_gives():
    image = noise()
    matrix = similarity(moved(on_template(), 17, 1.3, (80, 35)), SIZE)
    found = align.crop(frame_of(image), face_of(on_template()), matrix, SIZE).image
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    for row, column in [(10, 10), (64, 64), (30, 100), (101, 23)]:
        x, y, _ = back @ (column, row, 1)
        x0, y0 = int(x), int(y)
        parts = image[y0 : y0 + 2, x0 : x0 + 2].astype(float)
        shares = np.outer([1 - (y - y0), y - y0], [1 - (x - x0), x - x0])
        # OpenCV interpolates in steps of 1/32 pixel.
        assert found[row, column] == pytest.approx((parts * shares[..., None]).sum((0, 1)), abs=3)


def path_of(aligner, faces, rate_hz=RATE):
    """Where the transform puts a fixed spot of the face, in crop pixels, frame by frame: raw and smoothed."""
    image = np.zeros((240, 320, 3), np.uint8)
    raw, smooth = [], []
    for i, points in enumerate(faces):
        spot = points[RIGID].mean(0, keepdims=True)
        [crop] = aligner.push((frame_of(image, i / rate_hz), face_of(points, i / rate_hz)))
        raw.append(mapped(similarity(points, SIZE), spot)[0])
        smooth.append(mapped(crop.matrix, spot)[0])
    return np.array(raw), np.array(smooth)


def matrices(aligner, faces, rate_hz=RATE):
    image = np.zeros((240, 320, 3), np.uint8)
    return [
        aligner.push((frame_of(image, i / rate_hz), face_of(points, i / rate_hz)))[0].matrix
        for i, points in enumerate(faces)
    ]


@pytest.mark.promise(
    "a still face jitters",
    "its crop is steadier than its landmarks",
    "1 of 1",
)
def test_the_crop_of_a_still_head_is_steadier_than_its_landmarks(aligner):
    rng = np.random.default_rng(5)
    still = moved(on_template(), 5, 1.2, (70, 40))
    jittered = [still + rng.normal(0, 0.5, still.shape).astype(np.float32) for _ in range(240)]
    corners = still[[lm.LEFT_EYE_OUTER, lm.RIGHT_EYE_OUTER, lm.NOSE_BRIDGE[3]]]
    raw = np.array([mapped(similarity(points, SIZE), corners) for points in jittered])
    smooth = np.array([mapped(matrix, corners) for matrix in matrices(aligner, jittered)])
    assert smooth[60:].std(0).mean() < 0.5 * raw[60:].std(0).mean()
    assert smooth[60:].mean(0) == pytest.approx(raw[60:].mean(0), abs=0.1)


@pytest.mark.parametrize("speed", [0.1, 0.5, 2.0], ids=lambda speed: f"{speed} crop widths a second")
def test_a_moving_head_is_followed(aligner, speed):
    start = on_template()
    drive = [moved(start, 0, 1, (speed * SIZE * i / RATE, 0)) for i in range(60)]
    raw, smooth = path_of(aligner, drive)
    lag = np.abs(smooth - raw).max(axis=1)
    assert lag.max() < 0.03 * SIZE
    assert lag[6:].max() < 0.015 * SIZE  # a tenth of a second after it began to move


def test_a_head_that_stops_is_caught_up_with(aligner):
    start = on_template()
    stop = [moved(start, 0, 1, (min(i, 20) * 2.0, 0)) for i in range(20 + 30)]
    raw, smooth = path_of(aligner, stop)
    assert np.abs(smooth[-1] - raw[-1]).max() < 0.2


def test_the_first_crop_is_not_smoothed(aligner):
    points = moved(on_template(), 12, 0.8, (9, 9))
    assert np.array_equal(matrices(aligner, [points])[0], similarity(points, SIZE))


@pytest.mark.parametrize(("gap_s", "anew"), [(0.45, False), (0.55, True)])
def test_after_a_longer_absence_the_smoothing_begins_anew(gap_s, anew):
    aligner = Aligner(msgspec.structs.replace(config.load().align, forget_s=0.5))
    image = np.zeros((240, 320, 3), np.uint8)
    before, after = on_template(), moved(on_template(), 0, 1, (0.5, 0.3))
    aligner.push((frame_of(image, 1.0), face_of(before, 1.0)))
    [crop] = aligner.push((frame_of(image, 1.0 + gap_s), face_of(after, 1.0 + gap_s)))
    assert np.array_equal(crop.matrix, similarity(after, SIZE)) == anew


def test_smoothing_does_not_depend_on_where_in_the_picture_the_face_is():
    rng = np.random.default_rng(8)
    jitter = [rng.normal(0, 0.5, (lm.COUNT, 3)).astype(np.float32) for _ in range(60)]
    here, there = (np.float32((0, 0, 0)), np.float32((900, 500, 0)))
    _, near = path_of(Aligner(config.load().align), [on_template() + here + noise for noise in jitter])
    _, far = path_of(Aligner(config.load().align), [on_template() + there + noise for noise in jitter])
    assert near == pytest.approx(far, abs=0.02)


def test_smoothing_is_the_one_euro_filter(aligner):
    """Against a slow filter in float64 that keeps angle and scale, and the position of the face's middle, apart."""
    settings = config.load().align
    rng = np.random.default_rng(2)
    faces = [
        moved(on_template(), 0.2 * i, 1 + 0.003 * i, (60 + 1.5 * i, 50 + 0.4 * i))
        + rng.normal(0, 0.3, (lm.COUNT, 3)).astype(np.float32)
        for i in range(60)
    ]
    value = speed = None
    for points, found in zip(faces, matrices(aligner, faces), strict=True):
        centre = points[RIGID, :2].mean(0).astype(float)
        wanted = similarity(points, SIZE).astype(float)
        if value is None:
            value, speed = wanted, np.zeros((2, 3))
        else:
            at = np.column_stack([np.eye(2), centre])
            here, aim = value.copy(), wanted.copy()
            here[:, 2], aim[:, 2] = (mapped(m, at[:, 2][None])[0] for m in (value, wanted))
            speed += (1 - np.exp(-2 * np.pi * 1.0 / RATE)) * ((aim - here) * RATE - speed)
            cutoff = settings.cutoff_hz + settings.speed_gain * np.abs(speed[:, 2]).max() / SIZE
            here += (1 - np.exp(-2 * np.pi * cutoff / RATE)) * (aim - here)
            here[:, 2] -= here[:, :2] @ centre
            value = here
        assert found == pytest.approx(value, rel=1e-3, abs=5e-3)


def test_nothing_is_held_back(aligner):
    assert aligner.flush() == []
    assert aligner.delay_s == 0.0
