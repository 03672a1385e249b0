"""Embeddings with movement behind them: which frames meet, and how a view's movement differs."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.movement.pooling import pooled
from train.clips.embeddings import EmbeddedClip
from train.clips.movement.fields import MovingClip
from train.datasets.annotation.sample import Sample
from train.methods.cmn.config import MotionInput
from train.methods.cmn.moved import beside

SAMPLE = Sample("one", "p1", "negative", 0.5, 0.6, 0.75)
SHOWN = MotionInput(cells=7, gain=0.0, noise=0.0)


@pytest.fixture
def moving():
    """Ten frames, of which the whole field says which."""
    fields = np.full((10, 2, 28, 28), 0.001) * np.arange(10)[:, None, None, None]
    return MovingClip(SAMPLE, np.arange(10) / 10, fields.astype(np.float16))


@pytest.fixture
def embedded():
    """Of the frames 5 to 7."""
    clean = np.arange(9, dtype=np.float32).reshape(3, 3)
    return EmbeddedClip(SAMPLE, np.array([0.5, 0.6, 0.7]), clean, np.stack([clean, clean + 1]))


def test_each_embedding_has_its_own_frames_field_behind_it(embedded, moving):
    found = beside(embedded, moving, SHOWN, 1)
    assert found.clean.shape == (3, 3 + 98)
    assert np.array_equal(found.clean[:, :3], embedded.clean)
    assert np.array_equal(found.views[:, :, :3], embedded.views)
    assert np.array_equal(found.clean[:, 3:], pooled(moving.fields[5:8].astype(np.float32), 7))
    assert np.array_equal(found.views[1, :, 3:], found.clean[:, 3:])
    assert (found.clean.dtype, found.views.dtype) == (np.float32, np.float32)


def test_it_is_what_serving_feeds(embedded, moving):
    found = beside(embedded, moving, SHOWN, 1)
    made = EmbeddingSequence("encoder", "0" * 64, 3, 3, 7)
    fields = list(moving.fields[5:8].astype(np.float32))
    seen = EventFrames(embedded.times, embeddings=list(embedded.clean), fields=fields)
    assert np.array_equal(made.of_event(seen, 0.0)["embeddings"][0], found.clean)


def test_all_views_of_a_clip_move_as_much_and_with_noise_of_their_own(embedded, moving):
    plain, louder = (beside(embedded, moving, MotionInput(7, gain, 0.0), 1) for gain in (0.0, 0.5))
    assert np.array_equal(louder.views, plain.views)
    assert np.array_equal(plain.views[1, :, 3:], plain.clean[:, 3:])
    noisy = beside(embedded, moving, MotionInput(7, 0.0, 0.1), 1)
    assert (noisy.views - plain.views)[:, :, 3:].std() == pytest.approx(0.1, rel=0.2)
    assert np.array_equal(noisy.clean, plain.clean)


def test_views_are_drawn_by_their_seed_and_the_clip(embedded, moving):
    noisy = MotionInput(7, 0.2, 0.1)
    one, again, other = (beside(embedded, moving, noisy, seed).views for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    renamed = replace(embedded, sample=replace(SAMPLE, id="two"))
    assert not np.array_equal(beside(renamed, moving, noisy, 1).views, one)
