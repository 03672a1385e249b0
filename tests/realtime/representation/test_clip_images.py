import numpy as np
import pytest

from realtime.representation.clip_images import ClipImages, first_to_last
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images

PICTURE = CropImages(64, 8, IMAGENET_MEAN, IMAGENET_STD)


@pytest.mark.parametrize(
    ("length", "frames", "chosen"),
    [
        (31, 16, list(range(0, 31, 2))),
        (16, 16, list(range(16))),
        (5, 9, [0, 0, 1, 2, 2, 2, 3, 4, 4]),
        (1, 4, [0, 0, 0, 0]),
        (7, 1, [0]),
    ],
)
def test_frames_lie_evenly_from_the_first_to_the_last(length, frames, chosen):
    assert first_to_last(length, frames) == chosen


def test_an_event_of_no_frames_has_none_to_pick():
    with pytest.raises(ValueError, match="at least 1 is needed"):
        first_to_last(0, 16)


def test_a_clip_is_its_pictures_with_time_behind_colour():
    images = list(np.random.default_rng(4).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8))
    found = ClipImages(4, PICTURE).of_event(EventFrames(np.arange(9.0), images=images), 3.0)["clips"]
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((1, 3, 4, 8, 8), np.float32, True)
    for place, i in enumerate([0, 3, 5, 8]):
        assert np.array_equal(found[:, :, place], crop_images([images[i]], PICTURE))


def test_its_input_has_time_behind_colour():
    [spec] = ClipImages(16, PICTURE).inputs()
    assert (spec.name, spec.shape, spec.layout) == ("clips", (-1, 3, 16, 8, 8), "NCTHW")


def test_it_fits_where_its_pictures_do():
    assert list(ClipImages(16, PICTURE).misfits(None, 48)) == list(PICTURE.misfits(None, 48)) != []


def test_a_card_says_how_many_frames_and_what_each_is():
    said = ClipImages(16, PICTURE).describe()
    assert said == f"16 frames from the event's first to its last: {PICTURE.describe()}"
