"""Flow in the cache: the same that serving finds, cut and stretched anew in each epoch."""

import numpy as np
import pytest
import torch

from realtime.representation.flow_clip import FlowClip, chain
from train.clips.movement import flowing as flowing_module
from train.clips.movement.flowing import FlowingClip, at_rest, drawn, flowing
from train.clips.stored import store
from train.config.sections import Early

MADE = FlowClip(48, 16, (8, 16), 0.03, 64)
WHOLE = Early(share=0.0, after_s=(0.0, 0.0))


@pytest.fixture
def clips(drawn, tmp_path):
    return store(drawn(people=1), tmp_path)


@pytest.fixture(scope="module")
def clip(acted):
    [one] = acted(("negative",), 1)
    return one


def test_what_an_epoch_is_shown_of_a_whole_event_is_what_serving_finds_there(clips):
    for found in flowing(clips, MADE, 1):
        assert isinstance(found, FlowingClip)
        event = found.seen()
        wanted = MADE.of_event(event, found.sample.apex_s)
        span = (float(event.times[0]), float(event.times[-1]))
        for steps in MADE.scales:  # the chains of clip and event meet every other frame: 40 ms
            assert found.flow(span, steps) == pytest.approx(wanted[f"flow_{steps}"][0], abs=2e-3)


def test_it_is_found_once_for_each_grid_and_kept(clips, monkeypatch):
    first = flowing(clips, MADE, 1)
    assert len(first[0].middles) == len(chain(first[0].times, 0.03, 99)) - 1
    other = flowing(clips, FlowClip(48, 24, (4,), 0.03, 8), 1)
    assert other[0].speeds.shape[1:] == (2, 24, 24)
    monkeypatch.setattr(flowing_module, "consecutive", lambda *given: pytest.fail("it was found again"))
    again = flowing(clips, FlowClip(48, 16, (4,), 0.03, 8), 1)  # other steps of the same flow
    assert np.array_equal(again[0].speeds, first[0].speeds)


def test_landmarks_are_of_the_frame_at_the_onset(clips):
    rows = np.load(clips[0].faces)
    [one] = flowing(clips[:1], MADE, 1)
    assert np.array_equal(one.landmarks, rows["landmarks"][clips[0].event().start])


def test_a_cut_of_no_pair_has_the_nearest_ones_speed(clip):
    at = float(clip.middles[4])
    found = clip.flow((at + 0.001, at + 0.002), 4)
    assert found == pytest.approx(np.repeat(clip.speeds[4].astype(np.float32)[:, None], 4, axis=1))


def test_a_cut_is_near_the_annotated_moments_and_some_end_soon_after_the_apex(clip):
    generator = torch.Generator().manual_seed(1)
    assert drawn(clip, 0.0, WHOLE, generator) == pytest.approx((0.2, 0.5))
    found = [drawn(clip, 0.04, Early(share=0.5, after_s=(0.0, 0.05)), generator) for _ in range(60)]
    begins, ends = zip(*found, strict=True)
    assert min(begins) < 0.19
    assert max(begins) > 0.21
    assert max(ends) > 0.51
    assert 15 < sum(end < 0.42 for end in ends) < 45


def test_an_early_answer_sees_no_more_than_there_is_by_then(clip):
    assert clip.seen(0.06).times[-1] == pytest.approx(0.4)
    assert clip.seen().times[[0, -1]] == pytest.approx([0.2, 0.5])
    assert len(clip.seen().images) == 10


def test_rest_is_before_and_after_the_event(clip):
    before, after = clip.resting()
    assert before.times[-1] < 0.2 < 0.5 < after.times[0]
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        begin, end = at_rest(clip, generator)
        assert begin <= end
        assert end < 0.2 or begin > 0.5
