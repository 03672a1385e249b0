"""Chunks as other cameras, codecs and flow algorithms would have shown them."""

from dataclasses import replace

import numpy as np
import pytest

from train.methods.spotter import elsewhere
from train.methods.spotter.footage import Chunk

TICK_S, COUNT, SIDE = 1 / 60, 180, 28


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def chunk():
    """Three seconds in which one place moves there and back, twice."""
    ends = TICK_S * np.arange(1, COUNT + 1)
    fields = np.zeros((COUNT, 2, SIDE, SIDE), np.float32)
    fields[:, 0, 18:23, 8:13] = 0.02 * np.sin(4 * np.pi * ends / ends[-1])[:, None, None] ** 2
    rest = np.zeros(COUNT, np.float32)
    return Chunk(ends, fields, rest, np.zeros((COUNT, 3), np.float32), [(0.0, 0.1, 0.4, 0.7)], [], COUNT)


@pytest.fixture
def still(chunk):
    return replace(chunk, fields=np.zeros_like(chunk.fields))


@pytest.mark.parametrize("change", elsewhere.CHANGES, ids=lambda each: each.__name__)
def test_each_change_leaves_what_happened_to_be_seen(change, chunk, rng):
    before = chunk.fields.copy()
    for _ in range(20):
        seen = change(chunk, rng)
        assert seen.shape == before.shape
        assert np.isfinite(seen).all()
        assert np.corrcoef(seen.ravel(), before.ravel())[0, 1] > (0.0 if change is elsewhere.covered else 0.3)
    assert np.array_equal(chunk.fields, before)  # what was filmed is drawn again


def test_a_slow_camera_shows_fewer_pictures_and_a_line_between_them(chunk, rng):
    seen = elsewhere.slow(chunk, rng)[:, 0, 20, 10]
    bends = np.abs(np.diff(seen, 2)) > 1e-7
    assert 10 < bends.sum() < 0.8 * COUNT
    assert seen.max() <= chunk.fields.max() + 1e-6


def test_a_camera_that_shows_a_picture_twice_shows_nothing_new(chunk, rng, monkeypatch):
    monkeypatch.setattr(elsewhere, "DOUBLED", 1.0)
    assert not np.diff(elsewhere.slow(chunk, rng), axis=0).any()


def test_a_coarse_flow_sees_less_and_nothing_that_hardly_moves(chunk, rng):
    for _ in range(10):
        seen = elsewhere.coarse(chunk, rng)
        assert 0.2 * chunk.fields.max() < seen.max() < chunk.fields.max()
    hardly = replace(chunk, fields=chunk.fields * np.float32(1e-6))
    assert not any(elsewhere.coarse(hardly, rng).any() for _ in range(10))


def test_noise_is_that_of_two_frames_a_lag_apart(still, rng):
    lag = round(0.35 / TICK_S)
    errors = np.concatenate([elsewhere.noisy(still, rng).reshape(COUNT, -1) for _ in range(10)], axis=1)
    errors /= errors.std(0)
    later = (errors[:-lag] * errors[lag:]).mean()
    assert later == pytest.approx(-0.5, abs=0.05)  # what was new is what is compared with, a lag later
    assert (errors[:-5] * errors[5:]).mean() == pytest.approx(0.0, abs=0.05)


def test_a_codec_leaves_blocks_as_they_were_for_a_while(chunk, rng):
    ones = replace(chunk, fields=np.ones_like(chunk.fields))
    kept = elsewhere.blocks(ones, rng)[:, 0, ::4, ::4]
    assert set(np.unique(kept)) == {0.0, 1.0}
    assert 0.05 < (kept == 0.0).mean() < 0.4
    assert (np.diff(kept, axis=0) != 0).any(axis=(1, 2)).mean() < 0.5  # not anew with every frame


def test_something_before_the_face_hides_one_place_all_the_time(chunk, rng):
    ones = replace(chunk, fields=np.ones_like(chunk.fields))
    for _ in range(20):
        seen = elsewhere.covered(ones, rng)
        assert np.array_equal(seen[0], seen[-1])
        assert 0.05 < (seen[0, 0] < 0.5).mean() < 0.5


def test_what_happens_stays_and_one_seed_makes_the_same(chunk):
    one, other = (elsewhere.elsewhere(chunk, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.fields, other.fields)
    assert one.expressions == chunk.expressions
    assert one.ends is chunk.ends
