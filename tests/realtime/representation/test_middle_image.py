import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.middle_image import MiddleImage, middle

PICTURE = CropImages(16, 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(("apex", "frame"), [(1.4, 2), (1.0, 0), (1.9, 4), (1.21, 1)])
def test_it_is_nearest_to_the_middle_of_the_rise_from_the_first_frame(apex, frame):
    assert middle(1.0 + np.arange(10) / 10, apex) == frame


def test_it_goes_by_time_where_frames_are_unevenly_apart():
    assert middle(np.array([0.0, 0.01, 0.02, 0.2, 0.4]), 0.4) == 3


def test_its_picture_is_that_frames_and_no_other():
    images = np.random.default_rng(4).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
    found = MiddleImage(PICTURE).of_event(EventFrames(np.arange(9) / 10, images=images), 0.6)["images"]
    assert np.array_equal(found, crop_images([images[3]], PICTURE))
