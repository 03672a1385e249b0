import cv2
import numpy as np
import pytest

from realtime.representation.apex_field import FIELD, ApexField
from realtime.representation.contract.event import EventFrames
from realtime.representation.movement.fields import FIELD_PX
from realtime.representation.movement.motion import layout

SIZE = 128
SHOWN = ApexField(SIZE, FIELD_PX, 0.0)


def face(seed=1):
    """A picture with texture everywhere, uint8 (S, S, 3)."""
    noise = np.random.default_rng(seed).uniform(0, 255, (24, 24)).astype(np.float32)
    return colour(cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))


def colour(picture):
    return np.repeat(np.clip(picture, 0, 255).round().astype(np.uint8)[..., None], 3, axis=2)


def moved(picture, right, down, inside):
    """`picture` with what lies `inside` (x, y, radius) moved smoothly by so many pixels."""
    x, y = np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2)
    near = np.exp(-(((x - inside[0]) ** 2 + (y - inside[1]) ** 2) / (2 * inside[2] ** 2))).astype(np.float32)
    return cv2.remap(picture, x - right * near, y - down * near, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def field_of(images, times, apex):
    return SHOWN.of_event(EventFrames(np.array(times), images=images), apex)[FIELD][0]


def test_a_mouth_that_went_up_since_the_onset_is_up_in_eye_distances():
    rest, mouth = face(), (64, 98, 10)
    found = field_of([rest, moved(rest, 0, -1, mouth), moved(rest, 0, -2, mouth), rest], [0.0, 0.2, 0.9, 1.0], 0.9)
    assert (found.shape, found.dtype) == ((2, FIELD_PX, FIELD_PX), np.float32)
    row, column = np.unravel_index(found[1].argmin(), found[1].shape)
    assert (abs(row - 98 * FIELD_PX / SIZE) < 2, abs(column - 64 * FIELD_PX / SIZE) < 2) == (True, True)
    assert -found[1].min() * layout(SIZE).eye_px == pytest.approx(2.0, abs=0.7)
    assert np.abs(found[0]).max() < 0.4 * -found[1].min()


def test_twice_the_movement_is_about_twice_the_field():
    rest, mouth = face(), (64, 98, 10)
    once, twice = (field_of([rest, moved(rest, 0, -by, mouth)], [0.0, 0.2], 0.2) for by in (1, 2))
    assert np.abs(twice).max() / np.abs(once).max() == pytest.approx(2.0, abs=0.5)


def test_nothing_moved_is_nothing_and_so_is_a_head_that_moves_as_a_whole():
    rest = face()
    assert np.abs(field_of([rest, rest], [0.0, 0.2], 0.2)).max() < 1e-4
    shifted = cv2.warpAffine(rest, np.float32([[1, 0, 1.5], [0, 1, -1.0]]), (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    middle = field_of([rest, shifted], [0.0, 0.2], 0.2)[:, 6:22, 6:22]
    assert np.abs(middle).max() * layout(SIZE).eye_px < 0.5


def test_outside_of_the_face_is_nothing():
    rest = face()
    found = field_of([rest, moved(rest, 3, 0, (4, 4, 8))], [0.0, 0.2], 0.2)
    assert np.abs(found[:, :2, :2]).max() == 0.0


def test_crops_of_another_size_and_fields_of_another_side_are_refused():
    assert list(SHOWN.misfits(None, SIZE)) == []
    [crops] = SHOWN.misfits(None, 64)
    assert "crops of 128 px" in crops
    [side] = ApexField(SIZE, 14, 0.02).misfits(None, SIZE)
    assert "fields of side 14, 28 are made" in side
