import cv2
import numpy as np
import pytest

from realtime.representation.clip_images import CLIPS, first_to_last
from realtime.representation.contract.event import EventFrames
from realtime.representation.grey_clip import THERE, GreyClip, grey_picture

MADE = GreyClip(48, 16, 6)


def event(frames):
    images = list(np.random.default_rng(4).integers(0, 256, (frames, 48, 48, 3)).astype(np.uint8))
    return EventFrames(np.arange(frames) / 60, images=images)


@pytest.mark.parametrize("frames", [1, 2, 5, 6])
def test_an_event_that_is_short_enough_is_shown_whole(frames):
    seen = event(frames)
    found = MADE.of_event(seen, 0.0)
    assert found[THERE].tolist() == [[1.0] * frames + [0.0] * (6 - frames)]
    for place in range(6):
        wanted = grey_picture(seen.images[min(place, frames - 1)], 16)
        assert np.array_equal(found[CLIPS][0, 0, place], wanted)


def test_of_a_longer_one_frames_are_picked_from_its_first_to_its_last():
    seen = event(11)
    found = MADE.of_event(seen, 0.0)
    assert found[THERE].tolist() == [[1.0] * 6]
    for place, i in enumerate(first_to_last(11, 6)):
        assert np.array_equal(found[CLIPS][0, 0, place], grey_picture(seen.images[i], 16))


def test_a_list_and_an_array_of_pictures_give_the_same():
    seen = event(4)
    found = MADE.of_event(EventFrames(seen.times, images=np.stack(seen.images)), 0.0)
    assert all(np.array_equal(found[name], row) for name, row in MADE.of_event(seen, 0.0).items())


def test_grey_is_brightness_as_opencv_has_it_and_no_level_is_lost_to_rounding():
    [image] = event(1).images
    wanted = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(grey_picture(image, 48), wanted, atol=1e-6)
    faint = np.full((48, 48, 3), 100, np.uint8)
    faint[:24, :, 0] += 1
    assert grey_picture(faint, 1)[0, 0] == pytest.approx((100 + 0.5 * 0.299) / 255, rel=1e-5)
