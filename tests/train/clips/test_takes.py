import numpy as np
import pytest

from train.clips.clip import event
from train.datasets.annotation.sample import Sample

torch = pytest.importorskip("torch", reason="training needs the train extra")
from train.clips.takes import draw, jittered  # noqa: E402

SAMPLE = Sample("a", "p", "x", onset_s=0.1, apex_s=0.2, offset_s=0.5)
TIMES = np.arange(121) / 200  # 0.6 s


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_clip_is_drawn_from_all_its_takes_and_stays_in_its_place():
    takes = [[f"{clip}{camera}" for clip in range(50)] for camera in "abc"]
    found = [draw(takes, generator(seed)) for seed in range(60)]
    assert all([take[:-1] for take in drawn] == [str(clip) for clip in range(50)] for drawn in found)
    assert {drawn[7] for drawn in found} == {"7a", "7b", "7c"}
    share = np.mean([[take[-1] == "a" for take in drawn] for drawn in found])
    assert share == pytest.approx(1 / 3, abs=0.03)
    assert draw(takes, generator(3)) == found[3]
    assert draw(takes[:1], generator()) == takes[0]


def test_onset_and_offset_move_apart_within_the_bound_and_the_apex_stays():
    found = [jittered(SAMPLE, TIMES, 0.04, generator(seed)) for seed in range(300)]
    onsets, offsets = (np.array([getattr(sample, name) for sample in found]) for name in ("onset_s", "offset_s"))
    for moved, middle in ((onsets, 0.1), (offsets, 0.5)):
        assert abs(moved - middle).max() <= 0.04
        assert moved.min() < middle - 0.037
        assert moved.max() > middle + 0.037
        assert moved.mean() == pytest.approx(middle, abs=0.005)
    assert abs(np.corrcoef(onsets, offsets)[0, 1]) < 0.15
    assert {sample.apex_s for sample in found} == {0.2}


def test_neither_passes_the_apex_and_no_frame_lies_outside_of_the_clip():
    for seed in range(200):
        moved = jittered(SAMPLE, TIMES, 1.0, generator(seed))
        assert moved.onset_s <= 0.2 <= moved.offset_s
        inside = range(len(TIMES))[event(TIMES, moved)]
        assert 40 in inside  # the apex
        assert len(inside) >= 2


def test_an_event_that_would_lose_its_frames_stays_as_it_is():
    slow = np.array([0.12, 0.16, 0.24, 0.28])  # no frame at the apex
    found = [jittered(SAMPLE, slow, 0.5, generator(seed)) for seed in range(100)]
    kept = [sample for sample in found if sample == SAMPLE]
    assert kept
    assert len(kept) < 100
    assert all(len(slow[event(slow, sample)]) >= 2 for sample in found)


def test_no_bound_moves_nothing():
    assert jittered(SAMPLE, TIMES, 0.0, generator()) == SAMPLE
