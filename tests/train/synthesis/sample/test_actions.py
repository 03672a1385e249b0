import numpy as np
import pytest

from realtime.faces import landmarks as lm
from train.synthesis.sample.actions import ACTION_UNITS, BLINK, LID_RAISE, LIDS, displacement

#: A face by hand: landmark of the picture's left side, its mirror image, and where; in distances of the eye corners.
PAIRS = {
    (33, 263): (0.50, 0.00),
    (133, 362): (0.18, 0.00),
    (107, 336): (0.15, -0.20),
    (105, 334): (0.33, -0.27),
    (70, 300): (0.56, -0.18),
    (61, 291): (0.27, 0.75),
    (39, 269): (0.11, 0.63),
    (181, 405): (0.12, 0.88),
    (50, 280): (0.42, 0.40),
    (48, 278): (0.17, 0.45),
    (176, 400): (0.15, 1.18),
}
MIDDLE = {0: (0.0, 0.62), 17: (0.0, 0.90), 14: (0.0, 0.80), 152: (0.0, 1.22)}
LID_HALF = 0.05  # of the eye's opening


def drawn(scale=100.0, turn=0.0, at=(320.0, 180.0)):
    """Landmarks (468, 3) of the symmetric face; those that no unit moves lie far away."""
    face = np.tile(np.array([0.0, 9.0]), (lm.COUNT, 1))
    for (left, right), (x, y) in PAIRS.items():
        face[left], face[right] = (-x, y), (x, y)
    for index, place in MIDDLE.items():
        face[index] = place
    for half, side in ((LIDS[:7], -1.0), (LIDS[7:], 1.0)):
        for number, (upper, lower) in enumerate(half):
            x = side * (0.47 - 0.04 * number)
            face[upper], face[lower] = (x, -LID_HALF), (x, LID_HALF)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    flat = face @ rotation.T * scale + at
    return np.column_stack([flat, np.zeros(lm.COUNT)]).astype(np.float32)


MIRROR = dict(PAIRS.keys()) | {
    points[side]: other[side] for points, other in zip(LIDS[:7], LIDS[7:], strict=True) for side in (0, 1)
}
UNITS = sorted({*ACTION_UNITS, BLINK, LID_RAISE})

#: Unit -> landmark of the picture's left side, and whether it moves outwards (1), inwards (-1) or neither;
#: up (-1), down (1) or neither. None: not asked. From the muscles' descriptions in the FACS manual.
DIRECTIONS = [
    (1, 107, 0, -1),  # inner brow raised
    (2, 70, None, -1),  # outer brow raised
    (4, 107, -1, 1),  # brows lowered and drawn together
    (5, 159, None, -1),  # upper lid raised
    (6, 50, 0, -1),  # cheeks raised
    (7, 145, 0, -1),  # lids tightened
    (9, 48, 0, -1),  # nose wrinkled
    (10, 39, None, -1),  # upper lip raised
    (12, 61, 1, -1),  # mouth corners pulled out and up
    (14, 61, 1, None),  # mouth corners tightened
    (15, 61, None, 1),  # mouth corners pulled down
    (17, 152, 0, -1),  # chin raised
    (20, 61, 1, None),  # lips stretched
    (24, 17, 0, -1),  # lips pressed: the lower one up,
    (24, 0, 0, 1),  # the upper one down
    (25, 17, 0, 1),  # lips parted
    (26, 152, 0, 1),  # jaw dropped
    (45, 159, None, 1),  # eyes closed
]


@pytest.mark.parametrize(("unit", "landmark", "outwards", "down"), DIRECTIONS)
def test_a_unit_moves_its_landmarks_where_its_muscle_pulls(unit, landmark, outwards, down):
    x, y = displacement(drawn(), {unit: 1.0})[landmark] / 100.0
    for found, wanted in ((-x, outwards), (y, down)):
        if wanted is not None:
            assert np.sign(round(float(found), 3)) == wanted
    assert 0.005 < np.hypot(x, y) < 0.2  # millimetres to two centimetres of a face


def test_every_unit_that_is_drawn_has_a_direction_here():
    assert {unit for unit, *_ in DIRECTIONS} == set(UNITS)


@pytest.mark.parametrize("unit", UNITS)
def test_both_sides_of_the_face_move_alike(unit):
    shift = displacement(drawn(), {unit: 0.8})
    for left, right in MIRROR.items():
        assert shift[left] * (-1, 1) == pytest.approx(shift[right], abs=1e-3)
    for index in MIDDLE:
        assert shift[index, 0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("unit", UNITS)
def test_a_movement_is_linear_in_its_amount(unit):
    whole = displacement(drawn(), {unit: 1.0})
    assert np.abs(whole).max() > 0.5
    for amount in (0.0, 0.25, 0.7):
        assert displacement(drawn(), {unit: amount}) == pytest.approx(amount * whole, abs=1e-4)


def test_units_add_up():
    together = displacement(drawn(), {1: 0.5, 12: 0.3, 45: 1.0})
    alone = sum(displacement(drawn(), {unit: amount}) for unit, amount in ((1, 0.5), (12, 0.3), (45, 1.0)))
    assert together == pytest.approx(alone, abs=1e-4)


def test_no_amounts_move_nothing():
    assert not displacement(drawn(), {}).any()


def test_the_movement_turns_and_grows_with_the_face():
    turn = 0.4
    upright, turned = displacement(drawn(), {12: 1.0}), displacement(drawn(250.0, turn, (100.0, 50.0)), {12: 1.0})
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    assert turned == pytest.approx(2.5 * upright @ rotation.T, abs=1e-2)


def test_a_blink_nearly_closes_the_lids_by_the_upper_one_alone():
    shift = displacement(drawn(), {BLINK: 1.0}) / 100.0
    for upper, lower in LIDS:
        assert shift[upper] == pytest.approx([0.0, 0.85 * 2 * LID_HALF], abs=1e-4)
        assert not shift[lower].any()


def test_lids_are_paired_across_each_eye():
    paired = {index for pair in LIDS for index in pair}
    corners = {lm.LEFT_EYE_OUTER, lm.LEFT_EYE_INNER, lm.RIGHT_EYE_INNER, lm.RIGHT_EYE_OUTER}
    assert paired | corners == {*lm.LEFT_EYE, *lm.RIGHT_EYE}
    assert {(159, 145), (386, 374)} <= set(LIDS)  # the middles of both eyes


def test_a_unit_that_is_not_drawn_is_refused():
    with pytest.raises(KeyError):
        displacement(drawn(), {28: 0.5})
