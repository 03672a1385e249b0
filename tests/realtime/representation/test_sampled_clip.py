import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.interpolation import tim
from realtime.representation.sampled_clip import SampledClip, interpolated

PICTURE = CropImages(64, 8, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2))


@pytest.fixture
def event():
    images = np.random.default_rng(4).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
    return EventFrames(np.arange(9.0), images=images)


def test_centres_are_the_middle_frames_of_equal_parts(event):
    found = SampledClip(3, PICTURE, "centres").of_event(event, 3.0)["clips"]
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((1, 3, 3, 8, 8), np.float32, True)
    for place, i in enumerate([1, 4, 7]):
        assert np.array_equal(found[:, :, place], crop_images([event.images[i]], PICTURE))


def test_an_interpolated_clip_is_the_curve_through_all_frames_as_pictures(event):
    found = SampledClip(5, PICTURE, "tim").of_event(event, 3.0)["clips"]
    curve = np.rint(tim(event.images, 5).clip(0, 255)).astype(np.uint8)
    assert np.array_equal(found[0].swapaxes(0, 1), crop_images(list(curve), PICTURE))
    assert np.array_equal(found[:, :, 0], crop_images([event.images[0]], PICTURE))
    assert np.array_equal(found[:, :, 4], crop_images([event.images[8]], PICTURE))


def test_an_event_of_a_list_of_pictures_is_interpolated_as_one_array_is(event):
    assert np.array_equal(interpolated(list(event.images), 6), interpolated(event.images, 6))


def test_one_frame_is_a_clip_of_itself(event):
    one = EventFrames(np.zeros(1), images=event.images[:1])
    for rule in ("centres", "tim"):
        found = SampledClip(4, PICTURE, rule).of_event(one, 0.0)["clips"]
        assert np.array_equal(found, np.repeat(found[:, :, :1], 4, axis=2))


def test_it_fits_where_its_pictures_do():
    assert list(SampledClip(4, PICTURE, "tim").misfits(None, 48)) == list(PICTURE.misfits(None, 48)) != []
