import math

import numpy as np
import pytest
import torch

from train.clips.stored import store
from train.datasets.annotation.sample import Sample
from train.methods.apexnet.pairs import Filmed, filmed, moments, resting, still

SAMPLE = Sample("a", "p", "surprise", 0.4, 0.55, 0.7)


@pytest.fixture
def clip():
    times = np.arange(60) / 60
    return Filmed(SAMPLE, times, np.arange(60, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 2, 2, 3), np.uint8))


def drawn_moments(jitter_s, rising, count=200):
    generator = torch.Generator().manual_seed(1)
    return np.array([moments(SAMPLE, jitter_s, rising, generator) for _ in range(count)])


def test_unmoved_the_moments_are_the_annotated_ones():
    assert drawn_moments(0.0, 0.0, 3) == pytest.approx(np.array([[0.4, 0.55]] * 3))


def test_onset_and_apex_move_by_no_more_than_asked_each_on_its_own():
    found = drawn_moments(0.03, 0.0)
    for column, middle in enumerate((0.4, 0.55)):
        assert np.abs(found[:, column] - middle).max() == pytest.approx(0.03, abs=0.002)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.2
    assert (drawn_moments(0.5, 0.0)[:, 1] >= drawn_moments(0.5, 0.0)[:, 0]).all()


def test_a_share_of_the_events_is_shown_on_the_way_to_the_apex():
    rising = drawn_moments(0.0, 0.4)[:, 1]
    early = rising[rising < 0.55 - 1e-9]
    assert 0.3 < len(early) / len(rising) < 0.5
    assert 0.475 <= early.min() < 0.49
    assert early.max() > 0.54


def test_rest_lies_before_or_after_the_event(clip):
    generator = torch.Generator().manual_seed(1)
    found = [resting(clip, generator) for _ in range(100)]
    assert all(first <= last for first, last in found)
    assert all(last < 0.4 or first > 0.7 for first, last in found)
    assert {last < 0.4 for _, last in found} == {True, False}
    assert np.array(still(clip)) == pytest.approx(np.array([(0.0, 0.2), (43 / 60, 51 / 60)]), abs=0.02)


def test_what_is_seen_of_an_event_begins_and_ends_with_a_frame(clip):
    times, images = clip.between(0.401, 0.7)
    assert (times[0], times[-1]) == pytest.approx((25 / 60, 42 / 60))
    assert images[:, 0, 0, 0].tolist() == list(range(25, 43))
    assert clip.between(9.0, 9.0)[0].tolist() == [59 / 60]
    assert clip.between(0.5, 0.1)[0].tolist() == [30 / 60]
    assert clip.between(0.5, math.inf)[0][-1] == 59 / 60


def test_stored_clips_keep_their_pictures_on_disk_and_have_the_apex_that_was_chosen(drawn, tmp_path):
    clips = store(drawn(people=1), tmp_path, 1)
    apexes_s = [0.06, 0.08, 0.1]
    for one, stored, apex_s in zip(filmed(clips, apexes_s), clips, apexes_s, strict=True):
        assert isinstance(one.images.base, np.memmap) or isinstance(one.images, np.memmap)
        assert np.array_equal(one.images, stored.crops())
        assert (one.sample.id, one.sample.subject) == (stored.case.id, stored.case.subject)
        assert (one.sample.onset_s, one.sample.apex_s) == (stored.sample.onset_s, apex_s)
