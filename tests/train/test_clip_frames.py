import pytest
import torch

from train.clip_frames import draw, spread


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


def test_frames_are_spread_from_the_first_to_the_last():
    assert spread(31, 16).tolist() == list(range(0, 31, 2))
    assert spread(16, 16).tolist() == list(range(16))
    assert set(spread(5, 16).tolist()) == set(range(5))
    assert spread(1, 4).tolist() == [0, 0, 0, 0]
