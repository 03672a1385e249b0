"""The 3-D head, what its channels do, and how it is fitted; with the real model, where it is at hand."""

import numpy as np
import pytest

from realtime.errors import DataError
from train.synthesis.face import facekit
from train.synthesis.face.channels import ACTION_UNITS, INDEX, NAMES, channels
from train.synthesis.face.facekit import SKIN
from train.synthesis.face.fields import sides
from train.synthesis.face.fit import CONTOUR, SHARED, fit
from train.synthesis.face.warp import rotations

MOUTH_CORNERS = {"R": 48, "L": 54}  # of the 68; the person's left is the picture's right
PROMISED = {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25}


@pytest.fixture(scope="module")
def head(facekit_path):
    return facekit.load(facekit_path)


def moved(head, name, landmark):
    return channels(head).moved[INDEX[name], head.landmarks[landmark]]


def test_an_absent_model_is_an_error_that_says_where_it_is_had(tmp_path):
    with pytest.raises(DataError, match=r"no 3-D head.*ICT-VGL/ICT-FaceKit.*train pack facekit.*\[clips\] head"):
        facekit.load(str(tmp_path / "ict_facekit.npz"))


def test_a_file_that_is_no_model_is_an_error_that_lists_what_it_lacks(tmp_path):
    np.savez(tmp_path / "some.npz", neutral=np.zeros((3, 3)))
    with pytest.raises(DataError, match="no identities"):
        facekit.load(str(tmp_path / "some.npz"))
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(DataError, match=r"text.npz cannot be read.*wanted ict_facekit.npz: make it anew"):
        facekit.load(str(tmp_path / "text.npz"))


def test_the_head_has_the_axes_of_a_picture(head):
    left_eye, right_eye, brow, chin, nose = head.neutral[head.landmarks[[36, 45, 19, 8, 30]]]
    assert left_eye[0] < 0 < right_eye[0]
    assert brow[1] < chin[1]
    assert nose[2] < left_eye[2]


def test_every_promised_unit_has_two_sides():
    assert set(ACTION_UNITS) >= PROMISED
    assert all(f"{unit}{side}" in INDEX for unit in PROMISED for side in "LR")


@pytest.mark.parametrize("unit", sorted(ACTION_UNITS))
def test_a_side_moves_its_own_half_of_the_face(head, unit):
    skin = head.neutral[:SKIN, 0]
    for side, sign in (("L", 1.0), ("R", -1.0)):
        lengths = np.linalg.norm(channels(head).moved[INDEX[f"{unit}{side}"], :SKIN], axis=1)
        assert lengths[sign * skin > 0.5].sum() > 3.0 * lengths[sign * skin < -0.5].sum()


@pytest.mark.parametrize(("unit", "down"), [("12", -1), ("15", 1), ("14", -1)])
def test_mouth_corners_go_up_or_down(head, unit, down):
    for side, landmark in MOUTH_CORNERS.items():
        assert moved(head, f"{unit}{side}", landmark)[1] * down > 0.05


@pytest.mark.parametrize(("unit", "landmark", "down"), [("1L", 22, -1), ("2L", 25, -1), ("4L", 23, 1), ("5L", 43, -1)])
def test_brows_and_lids_go_up_or_down(head, unit, landmark, down):
    assert moved(head, unit, landmark)[1] * down > 0.1


def test_the_halves_of_a_shape_without_sides_add_up_to_it(head):
    whole = sum(weight * head.shapes[name] for name, weight in ACTION_UNITS[17].items())
    found = channels(head).moved
    assert found[INDEX["17L"]] + found[INDEX["17R"]] == pytest.approx(whole, abs=1e-5)


def test_skin_above_and_below_the_openings_is_told_apart(head):
    found = sides(head)
    upper, lower = head.landmarks[[37, 38, 43, 44, 61, 62, 63]], head.landmarks[[40, 41, 46, 47, 65, 66, 67]]
    assert found["above"][upper].all()
    assert not found["below"][upper].any()
    assert found["below"][lower].all()
    assert not found["above"][lower].any()


@pytest.fixture(scope="module")
def known(head):
    """Landmarks of a head that stands where we know, seen from far away; and who it is."""
    identity = np.random.default_rng(3).normal(0, 0.7, 100).astype(np.float32)
    turn = rotations(np.array([[12.0, -6.0, 4.0]], np.float32))[0]
    points = np.zeros((468, 3), np.float32)
    points[list(SHARED)] = 10.0 * head.shaped(identity)[head.landmarks] @ turn.T + (200.0, 180.0, 0.0)
    return points, turn, head.shaped(identity)


def test_a_known_pose_is_found_again(head, known):
    points, turn, _ = known
    found = fit(head, points)
    apart = np.degrees(np.arccos((np.trace(found.rotation @ turn.T) - 1) / 2))
    assert apart < 1.5
    assert found.scale == pytest.approx(10.0, rel=0.1)  # a smaller head that is nearer looks the same
    assert found.error < 0.01


def test_the_head_lies_on_its_landmarks_after_the_smooth_map(head, known):
    points, *_ = known
    found = fit(head, points)
    placed = found.place(head.shaped(found.identity)[head.landmarks[CONTOUR:]])
    apart = np.hypot(*(found.adjust(placed[:, :2].astype(float)) - points[list(SHARED)[CONTOUR:], :2]).T)
    assert np.median(apart) < 0.5
    assert apart.max() < 2.0


def test_one_wild_landmark_moves_the_pose_hardly(head, known):
    points, turn, _ = known
    wild = points.copy()
    wild[SHARED[54], :2] += (60.0, -40.0)
    found = fit(head, wild)
    assert np.degrees(np.arccos((np.trace(found.rotation @ turn.T) - 1) / 2)) < 4.0


def test_a_fit_is_repeated_to_the_bit(head, known):
    first, again = fit(head, known[0]), fit(head, known[0])
    assert np.array_equal(first.identity, again.identity)
    assert np.array_equal(first.weights, again.weights)


def test_names_are_unique_and_indexed():
    assert len(set(NAMES)) == len(NAMES)
    assert [INDEX[name] for name in NAMES] == list(range(len(NAMES)))


def test_the_shared_landmarks_are_sixty_eight():
    assert len(set(SHARED)) == 68
