import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images


def pictures(count, side):
    return list(np.random.default_rng(4).integers(0, 256, (count, side, side, 3)).astype(np.uint8))


def shape_of(size_px):
    return CropImages(64, size_px, IMAGENET_MEAN, IMAGENET_STD)


def test_every_value_is_what_the_formula_says():
    images = pictures(2, 8)
    found = crop_images(images, shape_of(8))
    for b, image in enumerate(images):
        for row, column, c in np.ndindex(8, 8, 3):
            wanted = (image[row, column, c] / 255 - IMAGENET_MEAN[c]) / IMAGENET_STD[c]
            assert found[b, c, row, column] == pytest.approx(wanted, abs=2e-6)


def test_arrays_are_ready_for_an_engine():
    found = crop_images(pictures(3, 16), shape_of(8))
    assert (found.shape, found.dtype) == ((3, 3, 8, 8), np.float32)
    assert found.flags.c_contiguous


def test_shrinking_takes_the_mean_of_what_it_joins():
    [image] = pictures(1, 16)
    found = crop_images([image], CropImages(16, 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))[0] * 255
    blocks = image.reshape(8, 2, 8, 2, 3).astype(float).mean((1, 3)).transpose(2, 0, 1)
    assert found == pytest.approx(blocks, abs=0.51)  # it is rounded to whole grey levels


def test_a_picture_is_the_same_alone_and_in_company():
    images = pictures(3, 16)
    together = crop_images(images, shape_of(12))
    assert np.array_equal(together, np.concatenate([crop_images([image], shape_of(12)) for image in images]))


def test_pictures_are_not_changed():
    [image] = pictures(1, 8)
    kept = image.copy()
    crop_images([image], shape_of(8))
    assert np.array_equal(image, kept)


def test_the_crops_of_a_frame_become_a_row_each():
    images = pictures(3, 16)
    assert list(shape_of(8).of_images(images)) == ["images"]
    assert np.array_equal(shape_of(8).of_images(images)["images"], crop_images(images, shape_of(8)))


@pytest.mark.parametrize(("apex_s", "chosen"), [(0.0, 0), (0.14, 1), (0.151, 2), (0.15, 1), (9.0, 3)])
def test_of_an_event_the_frame_nearest_to_the_apex_is_shown(apex_s, chosen):
    """Of two that are as near, the earlier."""
    images, times = pictures(4, 16), np.array([0.0, 0.125, 0.175, 0.3])
    found = shape_of(8).of_event(EventFrames(times, images=images), apex_s)
    assert np.array_equal(found["images"], crop_images([images[chosen]], shape_of(8)))


def test_its_input_is_a_picture_of_its_size():
    [spec] = shape_of(96).inputs()
    assert (spec.name, spec.shape, spec.layout) == ("images", (-1, 3, 96, 96), "NCHW")


def test_its_networks_are_asked_for_every_frame():
    assert shape_of(8).every_frame
    assert not shape_of(8).fine


def test_a_card_names_sizes_and_statistics():
    assert CropImages(64, 32, (0.5, 0.4, 0.3), (0.25, 0.25, 0.25)).describe() == (
        "aligned crops of 64 px, RGB, brought to 32 px, (x / 255 - mean) / std of [0.5, 0.4, 0.3] and "
        "[0.25, 0.25, 0.25]"
    )
