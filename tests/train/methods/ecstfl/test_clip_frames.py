import numpy as np
import pytest
import torch

from realtime.representation.clip_images import first_to_last
from realtime.representation.interpolation import tim
from realtime.representation.sampled_clip import interpolated
from train.methods.ecstfl.clip_frames import draw, shown


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_random_frames_differ_and_are_in_order():
    seen = set()
    for seed in range(50):
        found = draw(20, 16, "random", generator(seed)).tolist()
        assert found == sorted(set(found))
        seen |= set(found)
    assert seen == set(range(20))


def test_segments_are_pairs_of_neighbours_one_from_each_part():
    starts = set()
    for seed in range(200):
        found = draw(80, 16, "segments", generator(seed)).view(8, 2)
        assert (found[:, 1] - found[:, 0]).tolist() == [1] * 8
        assert all(79 * part // 8 <= found[part, 0] < 79 * (part + 1) // 8 for part in range(8))
        starts |= set(found[:, 0].tolist())
    assert starts == set(range(79))


@pytest.mark.parametrize("sampling", ["random", "segments"])
@pytest.mark.parametrize("length", [1, 2, 3, 15, 16, 17, 300])
@pytest.mark.parametrize("frames", [15, 16])
def test_every_event_gives_so_many_frames_of_its_own_in_order(sampling, length, frames):
    for seed in range(20):
        found = draw(length, frames, sampling, generator(seed))
        assert len(found) == frames
        assert 0 <= int(found.min()) <= int(found.max()) < length
        assert (found.diff() >= 0).all()


@pytest.mark.parametrize("length", [1, 5, 15])
def test_random_frames_of_a_short_event_are_those_of_the_test(length):
    assert draw(length, 16, "random", generator()).tolist() == first_to_last(length, 16)


def test_picked_pictures_are_those_that_were_drawn():
    event = np.random.default_rng(1).integers(0, 256, (20, 4, 4, 3), dtype=np.uint8)
    for sampling in ("random", "segments"):
        found = shown(event, 8, sampling, generator(5))
        assert np.array_equal(found, event[draw(20, 8, sampling, generator(5)).numpy()])


@pytest.mark.parametrize("length", [1, 2, 7, 16, 66])
def test_an_interpolated_event_is_whole_and_stays_in_the_pictures_range(length):
    event = np.random.default_rng(length).choice(np.array([0, 255], np.uint8), (length, 4, 4, 3))
    found = shown(event, 16, "tim", generator())
    curve = tim(event, 16)
    assert (found.shape, found.dtype) == ((16, 4, 4, 3), np.uint8)
    assert np.array_equal(found[[0, -1]], event[[0, -1]])
    assert np.abs(found - curve.clip(0, 255)).max() <= 0.5 + 1e-3
    assert length in (1, 2, 16) or curve.max() > 256  # black and white flicker overshoots, and would wrap around
    assert np.array_equal(shown(event, 16, "tim", generator(9)), found)
    assert np.array_equal(interpolated(event, 16), found)
