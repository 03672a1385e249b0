import cv2
import msgspec
import numpy as np
import pytest

from realtime.preprocess import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ApexChange,
    ClipImages,
    CropImages,
    EmbeddingSequence,
    Representation,
    apex_change,
    clip_images,
    crop_images,
    embedding_sequence,
    first_to_last,
    mean_grey,
    spread,
    upon,
)


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


@pytest.mark.parametrize(
    ("length", "frames", "chosen"),
    [
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (12, 6, [1, 3, 5, 7, 9, 11]),
        (9, 3, [1, 4, 7]),
        (1, 4, [0, 0, 0, 0]),
        (3, 6, [0, 0, 1, 1, 2, 2]),
        (10, 1, [5]),
    ],
)
def test_frames_are_the_middles_of_equal_parts(length, frames, chosen):
    assert spread(length, frames) == chosen


def test_chosen_frames_are_in_order_and_inside_for_every_length():
    for length in range(1, 80):
        for frames in (1, 2, 6, 11, 16):
            chosen = spread(length, frames)
            assert len(chosen) == frames
            assert chosen == sorted(chosen)
            assert 0 <= chosen[0] <= chosen[-1] < length
            assert chosen == [int(np.floor((2 * i - 1) * length / (2 * frames))) for i in range(1, frames + 1)]


def test_an_empty_span_is_refused():
    with pytest.raises(ValueError, match="at least 1 is needed"):
        spread(0, 6)


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
    images = pictures(9, 16)
    found = clip_images(images, ClipImages(4, shape_of(8)))
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((1, 3, 4, 8, 8), np.float32, True)
    for place, i in enumerate([0, 3, 5, 8]):
        assert np.array_equal(found[:, :, place], crop_images([images[i]], shape_of(8)))


def face(seed=1, size=48):
    """A smooth grey picture float32 (S, S) in [0, 1], such as may be shifted by parts of a pixel."""
    noise = np.random.default_rng(seed).uniform(0, 1, (6, 6)).astype(np.float32)
    return np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0.05, 0.95)


def colour(picture):
    return np.repeat((picture * 255).round().astype(np.uint8)[..., None], 3, axis=2)


def change(size_px=48, around_s=0.0, gain=10.0):
    return ApexChange(48, size_px, around_s, gain)


def test_what_changed_is_shown_beside_onset_and_apex():
    before = face()
    after = before.copy()
    after[30:36, 10:16] += 0.04
    images = [colour(before), colour(face(2)), colour(after), colour(face(3))]
    found = apex_change(np.array([0.2, 0.3, 0.4, 0.5]), images, 0.42, change())
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
        found = apex_change(times, [colour(before), colour(other)], 0.1, change())[inside]
        plain = 10.0 * (other - before)[4:44, 4:44]
        assert np.abs(found).mean() < 0.25 * np.abs(plain).mean()


def test_pictures_that_cannot_be_brought_together_stay_as_they_are():
    flat = np.full((48, 48), 0.5, np.float32)
    assert np.array_equal(upon(flat, face()), face())


def test_frames_around_a_moment_are_averaged_and_at_least_the_nearest_is_seen():
    times, images = (
        np.array([0.0, 0.01, 0.02, 0.1]),
        [np.full((48, 48, 3), level, np.uint8) for level in (0, 30, 60, 9)],
    )
    levels = [(0.0, 0.0, 0), (0.01, 0.012, 30), (0.01, 0.005, 30), (0.07, 0.005, 9), (9.0, 0.02, 9)]
    for moment, around_s, level in levels:
        assert mean_grey(times, images, moment, change(24, around_s)) == pytest.approx(level / 255, abs=1e-6)


def test_a_picture_is_as_grey_as_its_colours_are_bright():
    image = np.zeros((48, 48, 3), np.uint8)
    image[...] = (200, 100, 50)
    grey = (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255
    assert mean_grey(np.array([0.0]), [image], 0.0, change(24)) == pytest.approx(grey, abs=1e-5)


def test_a_sequence_holds_the_chosen_embeddings():
    embeddings = [np.full(5, i, np.float32) for i in range(12)]
    found = embedding_sequence(embeddings, EmbeddingSequence("encoder", "0" * 64, 6, 5))
    assert (found.shape, found.dtype) == ((1, 6, 5), np.float32)
    assert found[0, :, 0].tolist() == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize(
    "representation",
    [shape_of(32), EmbeddingSequence("encoder", "0" * 64, 6, 512), ClipImages(16, shape_of(32)), change()],
    ids=["pictures", "sequence", "clips", "change"],
)
def test_a_representation_survives_a_manifest(representation):
    text = msgspec.json.encode(representation)
    assert msgspec.json.decode(text, type=Representation) == representation


def test_a_representation_with_an_unknown_parameter_is_refused():
    tree = msgspec.to_builtins(shape_of(32)) | {"gamma": 2.2}
    with pytest.raises(msgspec.ValidationError, match="gamma"):
        msgspec.convert(tree, Representation)
