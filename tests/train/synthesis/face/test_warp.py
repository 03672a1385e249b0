import cv2
import numpy as np
import pytest

from train.synthesis.face import facekit
from train.synthesis.face.channels import INDEX, NAMES
from train.synthesis.face.fields import fields
from train.synthesis.face.fit import SHARED
from train.synthesis.face.openings import EDGES
from train.synthesis.face.performance import HeadMotion
from train.synthesis.face.render import Rendered
from train.synthesis.face.warp import Warp, coefficients, rotations

SIZE = 96


@pytest.fixture(scope="module")
def points(facekit_path):
    """MediaPipe's landmarks as far as they are used, of the resting head, which fills a picture as in a crop."""
    head = facekit.load(facekit_path)
    found = np.zeros((468, 3), np.float32)
    scale = 0.524 * SIZE / 8.92
    placed = scale * head.neutral[head.landmarks] + (SIZE / 2, 0.39 * SIZE + 3.4 * scale, 0.0)
    found[list(SHARED)] = placed
    for name, corners in {"left eye": (36, 39), "right eye": (42, 45), "mouth": (60, 64)}.items():
        ends = placed[list(corners)]
        middles = {"left eye": (37.5, 40.5), "right eye": (43.5, 46.5), "mouth": (62, 66)}[name]
        for edge, middle in zip(EDGES[name], middles, strict=True):
            top = placed[[int(np.floor(middle)), int(np.ceil(middle))]].mean(0)
            part = np.linspace(0.0, 1.0, len(edge))[:, None]
            line = (1 - part) * ends[0] + part * ends[1]
            found[list(edge)] = line + np.sin(np.pi * part) * (top - 0.5 * (ends[0] + ends[1]))
    return found.astype(np.float32)


@pytest.fixture(scope="module")
def picture():
    noise = np.random.default_rng(2).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture(scope="module")
def face(facekit_path, picture, points):
    return fields(facekit.load(facekit_path), picture, points)


@pytest.fixture(scope="module")
def rendered(facekit_path):
    return Rendered(facekit.load(facekit_path), "crop", SIZE, np.random.default_rng(1))


def amounts(*rows):
    found = np.zeros((len(rows), len(NAMES)), np.float32)
    for row, played in zip(found, rows, strict=True):
        for name, share in played.items():
            row[INDEX[name]] = share
    return found


def displacement(fields, amounts, pose):
    """Where what each pixel of the resting picture shows has gone, px (T, S, S, 2)."""
    return (coefficients(fields, amounts, pose) @ fields.upper).reshape(-1, SIZE, SIZE, 2)


def pose(*turns):
    count = len(turns)
    return HeadMotion(np.array(turns, np.float32), np.zeros((count, 2), np.float32), np.zeros(count, np.float32))


REST = (0.0, 0.0, 0.0)
SMILE = {"12L": 0.4, "12R": 0.4}
ACTORS = ["picture", "rendered"]


@pytest.fixture
def actor(request, picture, face, rendered):
    return rendered if request.param == "rendered" else Warp(picture, face)


def test_a_face_at_rest_is_its_picture(picture, face):
    (found,) = Warp(picture, face).frames(amounts({}), pose(REST))
    assert np.array_equal(found, picture)


def test_a_grey_picture_moves_as_one_with_colour(picture, face):
    grey = np.ascontiguousarray(picture[..., 0])
    (found,) = Warp(grey, face).frames(amounts(SMILE), pose(REST))
    (colour,) = Warp(np.dstack([grey] * 3), face).frames(amounts(SMILE), pose(REST))
    assert found.shape == (SIZE, SIZE)
    assert np.abs(found.astype(int) - colour[..., 0]).max() <= 2  # insides of the openings are painted by colour


def test_a_smile_pulls_the_corners_up_and_out_and_leaves_the_brows(face, points):
    (field,) = displacement(face, amounts(SMILE), pose(REST))
    left, right, brow = (field[tuple(np.round(points[i, 1::-1]).astype(int))] for i in (61, 291, 105))
    assert left[0] < -0.3
    assert right[0] > 0.3
    assert left[1] < -0.3
    assert right[1] < -0.3
    assert np.hypot(*brow) < 0.1 * np.hypot(*left)


def test_one_side_moves_alone(face, points):
    (field,) = displacement(face, amounts({"12L": 0.4}), pose(REST))
    left, right = (field[tuple(np.round(points[i, 1::-1]).astype(int))] for i in (61, 291))
    assert np.hypot(*right) > 5 * np.hypot(*left)


def test_small_amounts_move_in_proportion(face):
    half, whole = displacement(face, amounts({"4L": 0.1}, {"4L": 0.2}), pose(REST, REST))
    assert whole == pytest.approx(2 * half, abs=1e-4)


def test_a_turned_head_moves_its_nose_to_where_it_looks(face, points):
    (field,) = displacement(face, amounts({}), pose((8.0, 6.0, 0.0)))
    nose = field[tuple(np.round(points[4, 1::-1]).astype(int))]
    assert nose[0] > 1.0
    assert nose[1] < -0.5


def test_rotations_turn_the_face_by_the_signs_of_a_pose():
    forward, right = np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0])
    yaw, pitch, roll = rotations(np.array([[10.0, 0, 0], [0, 10.0, 0], [0, 0, 10.0]], np.float32))
    assert (yaw @ forward)[0] > 0.1
    assert (pitch @ forward)[1] < -0.1
    assert (roll @ right)[1] > 0.1
    assert np.linalg.det(yaw @ pitch @ roll) == pytest.approx(1.0)


@pytest.mark.parametrize("actor", ACTORS, indirect=True)
@pytest.mark.parametrize("played", [SMILE, {"4L": 0.6, "4R": 0.6}, {"1L": 0.5, "2L": 0.5}, {"20L": 0.5}])
def test_the_exact_displacement_takes_one_picture_to_the_other(actor, played):
    """What a pixel shows first is shown at its target later: the pictures agree far better than without it."""
    moments = amounts({}, played), pose(REST, (1.0, 0.5, 0.5))
    first, second = (frame.astype(np.float32) for frame in actor.frames(*moments))
    field = actor.between(*moments)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    at = np.stack([x, y], 2) + field
    inner = (slice(12, 84), slice(18, 78))
    found = cv2.remap(second, at, None, cv2.INTER_CUBIC)
    carried, plain = np.abs(found - first)[inner].mean(), np.abs(second - first)[inner].mean()
    assert carried < 0.35 * plain


@pytest.mark.parametrize("actor", ACTORS, indirect=True)
def test_nothing_has_gone_anywhere_between_like_moments(actor):
    field = actor.between(amounts(SMILE, SMILE), pose((2.0, 1.0, 0.0), (2.0, 1.0, 0.0)))
    assert np.abs(field).max() < 1e-4


@pytest.mark.parametrize("actor", ACTORS, indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_every_channel_gives_a_picture_and_moves_no_more_than_it_says(actor, name):
    (found,) = actor.frames(amounts({name: 0.5}), pose(REST))
    assert found.shape == (SIZE, SIZE, 3)
    assert found.dtype == np.uint8
    assert actor.extent.most[INDEX[name]] < 0.5 * SIZE


def test_closed_lids_hide_the_eye(picture, points, facekit_path):
    """An eyeball of one colour is gone when the lids are down."""
    painted = picture.copy()
    for name in ("left eye", "right eye"):
        ring = np.concatenate([points[list(EDGES[name][0]), :2], points[list(EDGES[name][1])[::-1], :2]])
        cv2.fillPoly(painted, [np.round(ring).astype(np.int32)], (0, 255, 0))
    warp = Warp(painted, fields(facekit.load(facekit_path), painted, points))
    opened, shut = warp.frames(amounts({}, {"blinkL": 1.0, "blinkR": 1.0}), pose(REST, REST))

    def green(image):
        return int(((image[..., 1] > 200) & (image[..., 0] < 60)).sum())

    assert green(shut) < 0.35 * green(opened)


def test_an_opened_mouth_shows_its_dark_inside(picture, face, points):
    light = np.full_like(picture, 200)
    (found,) = Warp(light, face).frames(amounts({"jaw": 0.3}), pose(REST))
    x, y = points[[13, 14], :2].mean(0)
    assert found[int(y) + 3, int(x)].mean() < 150


def test_rendered_people_are_repeated_by_their_seed_and_differ_with_another(facekit_path):
    head = facekit.load(facekit_path)
    people = [Rendered(head, "crop", 64, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    first, again, other = (next(person.frames(amounts(SMILE), pose(REST))) for person in people)
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 5
