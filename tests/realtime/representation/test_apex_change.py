import cv2
import numpy as np
import pytest

from realtime.representation.apex_change import ApexChange, apex_pair
from realtime.representation.contract.event import EventFrames


def face(seed=1, size=48):
    """A smooth grey picture float32 (S, S) in [0, 1], such as may be shifted by parts of a pixel."""
    noise = np.random.default_rng(seed).uniform(0, 1, (6, 6)).astype(np.float32)
    return np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0.05, 0.95)


def colour(picture):
    return np.repeat((picture * 255).round().astype(np.uint8)[..., None], 3, axis=2)


SHOWN = ApexChange(48, 48, 0.0, 10.0)


def test_what_changed_is_shown_beside_onset_and_apex():
    before = face()
    after = before.copy()
    after[30:36, 10:16] += 0.04
    images = [colour(before), colour(face(2)), colour(after), colour(face(3))]
    found = SHOWN.of_event(EventFrames(np.array([0.2, 0.3, 0.4, 0.5]), images=images), 0.42)["images"]
    assert (found.shape, found.dtype) == ((1, 3, 48, 48), np.float32)
    assert found[0, 0] == pytest.approx(4 * before - 2, abs=0.02)
    assert found[0, 2, 31:35, 11:15] == pytest.approx(0.4, abs=0.12)
    elsewhere = np.delete(found[0, 2], slice(26, 40), axis=0)
    assert np.abs(elsewhere).max() < 0.15


def test_neither_a_lamp_nor_a_slip_of_the_crop_is_a_change():
    before = face()
    slipped = cv2.warpAffine(before, np.float32([[1, 0, 0.6], [0, 1, -0.4]]), (48, 48), borderMode=cv2.BORDER_REPLICATE)
    times = np.array([0.0, 0.1])
    inside = (0, 2, slice(4, 44), slice(4, 44))
    for other in (np.float32(0.8) * before, slipped):
        found = SHOWN.of_event(EventFrames(times, images=[colour(before), colour(other)]), 0.1)["images"][inside]
        plain = 10.0 * (other - before)[4:44, 4:44]
        assert np.abs(found).mean() < 0.25 * np.abs(plain).mean()


def test_a_pair_is_onset_and_apex_in_grey():
    images = [colour(face()), colour(face(2)), colour(face(3))]
    pair = apex_pair(np.array([0.0, 0.1, 0.2]), images, 0.1, SHOWN)
    assert (pair.shape, pair.dtype) == ((2, 48, 48), np.float32)
    assert pair[0] == pytest.approx(face(), abs=0.01)


def test_its_input_has_three_pictures_where_others_have_colours():
    [spec] = ApexChange(128, 112, 0.02, 40.0).inputs()
    assert (spec.name, spec.shape, spec.layout) == ("images", (-1, 3, 112, 112), "NCHW")


def test_small_differences_decide():
    assert SHOWN.fine
    assert not SHOWN.every_frame


def test_a_card_says_what_either_picture_is_the_mean_of():
    assert ApexChange(128, 96, 0.02, 40.0).describe() == (
        "aligned crops of 128 px, grey, brought to 96 px: onset and apex, each the mean of the frames within 20 ms, "
        "from -2 to 2, and 40 times their difference"
    )
