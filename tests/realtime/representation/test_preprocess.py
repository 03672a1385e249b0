import msgspec
import numpy as np
import pytest

from realtime.engine.package.manifest import input_of
from realtime.representation.preprocess import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ApexChange,
    ClipImages,
    CropImages,
    EmbeddingSequence,
    MotionTicks,
    Representation,
    clip_images,
    crop_images,
    embedding_sequence,
    first_to_last,
    motion_ticks,
    spread,
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


def test_a_sequence_holds_the_chosen_embeddings():
    embeddings = [np.full(5, i, np.float32) for i in range(12)]
    found = embedding_sequence(embeddings, (), EmbeddingSequence("encoder", "0" * 64, 6, 5))
    assert (found.shape, found.dtype) == ((1, 6, 5), np.float32)
    assert found[0, :, 0].tolist() == [1, 3, 5, 7, 9, 11]


def test_a_sequence_may_hold_how_the_face_moved_behind_each_embedding():
    """A grid of two cells a side: v is 0.002 below on the left, and grows from frame to frame."""
    embeddings, fields = [np.full(5, i, np.float32) for i in range(12)], np.zeros((12, 2, 4, 4), np.float32)
    fields[:, 1, 2:, :2] = 0.002 * np.arange(12)[:, None, None]
    made = EmbeddingSequence("encoder", "0" * 64, 6, 5, cells=2)
    found = embedding_sequence(embeddings, list(fields), made)
    assert found.shape == (1, *input_of(made).shape[1:]) == (1, 6, 13)
    assert found[0, :, 0].tolist() == [1, 3, 5, 7, 9, 11]
    assert found[0, :, 11] == pytest.approx(np.arcsinh([1, 3, 5, 7, 9, 11]))
    assert not found[0, :, [5, 6, 7, 8, 9, 10, 12]].any()


@pytest.mark.parametrize(
    "representation",
    [
        shape_of(32),
        EmbeddingSequence("encoder", "0" * 64, 6, 512),
        ClipImages(16, shape_of(32)),
        ApexChange(128, 96, 0.02, 40.0),
        MotionTicks(128, 28, 7, 0.35, 1 / 60, 0.1, 64),
    ],
    ids=["pictures", "sequence", "clips", "change", "ticks"],
)
def test_a_representation_survives_a_manifest(representation):
    text = msgspec.json.encode(representation)
    assert msgspec.json.decode(text, type=Representation) == representation


def test_a_representation_with_an_unknown_parameter_is_refused():
    tree = msgspec.to_builtins(shape_of(32)) | {"gamma": 2.2}
    with pytest.raises(msgspec.ValidationError, match="gamma"):
        msgspec.convert(tree, Representation)


def ticks(count=(), side=28):
    """Random fields, head and turns of `count` ticks."""
    rng = np.random.default_rng(5)
    fields, turns = rng.normal(0, 0.01, (*count, 2, side, side)), rng.normal(0, 3.0, (*count, 3))
    return fields.astype(np.float32), np.asarray(rng.random(count), np.float32), turns.astype(np.float32)


def test_a_tick_is_what_the_formula_says():
    """Two cells a side of two values a side: u is 0.002 in the first cell, v is 0.003 and 0.001 in turn in the last."""
    field = np.zeros((2, 4, 4), np.float32)
    field[0, :2, :2] = 0.002
    field[1, 2:, 2:] = [[0.003, 0.001], [0.001, 0.003]]
    found = motion_ticks(field, np.float32(0.0399), np.array([1.5, -3.0, 60.0], np.float32), 2)
    assert (found.shape, found.dtype) == ((3 * 4 + 1 + 3,), np.float32)
    assert found[:4] == pytest.approx([np.arcsinh(1.0), 0, 0, 0])  # u of the cells, row by row
    assert found[4:8] == pytest.approx([0, 0, 0, np.arcsinh(1.0)])  # v
    still = np.log(1e-4 / 0.002)
    last = np.log((np.sqrt((0.003**2 + 0.001**2) / 2) + 1e-4) / 0.002)
    assert found[8:12] == pytest.approx([np.log(0.0021 / 0.002), still, still, last], rel=1e-4)
    assert found[12:] == pytest.approx([np.log(20.0), 0.5, -1.0, 3.0], rel=1e-5)  # head; turns, cut at 3


@pytest.mark.parametrize("count", [(), (5,), (2, 3)])
def test_ticks_are_made_one_by_one_as_all_at_once(count):
    fields, head, turns = ticks(count)
    found = motion_ticks(fields, head, turns, 7)
    made = MotionTicks(128, 28, 7, 0.35, 1 / 60, 0.1, 64)
    assert found.shape == (*count, made.width - made.memory)
    for place in np.ndindex(*count):
        assert np.array_equal(found[place], motion_ticks(fields[place], head[place], turns[place], 7))


def test_a_mirrored_movement_makes_mirrored_cells():
    fields, head, turns = ticks()
    found = motion_ticks(fields, head, turns, 7)
    other = motion_ticks(fields[..., ::-1] * np.array([-1, 1], np.float32)[:, None, None], head, turns, 7)
    u, v, sizes = found[:147].reshape(3, 7, 7)
    mirrored = np.stack([-u[:, ::-1], v[:, ::-1], sizes[:, ::-1]])
    assert other[:147].reshape(3, 7, 7) == pytest.approx(mirrored, abs=1e-5)
    assert np.array_equal(other[147:], found[147:])
