"""Chunks of films, and movements as other faces might have made them."""

import numpy as np
import pytest

from realtime.errors import DataError
from train.methods.spotter.distort import distorted
from train.methods.spotter.footage import Footage, together
from train.spotting.films import MACRO, MICRO, Film
from train.spotting.happened import Happened

TICK_S, WIDTH = 0.02, 2 * 28 * 28 + 4


def film(person, seconds, mark=0.0, **more):
    ends = TICK_S * np.arange(1, round(seconds / TICK_S) + 1)
    ticks = np.full((len(ends), WIDTH), mark, np.float16)
    return Film(person, seconds, ends, ticks, more.pop("expressions", np.zeros((0, 4))), rate_hz=50.0, **more)


def drawn(footage, count, seed=0):
    rng = np.random.default_rng(seed)
    return [footage.draw(rng, 0.04) for _ in range(count)]


def test_a_film_that_is_shorter_than_a_chunk_is_padded_and_says_so():
    [chunk] = drawn(Footage([film("anna", 1.0, 0.5)], 2.0, TICK_S), 1)
    assert chunk.fields.shape == (100, 2, 28, 28)
    assert chunk.shown == 50
    assert (np.abs(chunk.fields[:50]) == 0.5).all()
    assert not chunk.fields[50:].any()
    assert np.diff(chunk.ends) == pytest.approx(TICK_S)


def test_what_happens_goes_by_the_chunks_clock():
    there = np.array([(MICRO, 1.0, 1.1, 1.3), (MACRO, 2.0, 2.5, 3.0)])
    shown = film("anna", 4.0, expressions=there, unsure=np.array([(3.2, 3.6)]))
    for chunk in drawn(Footage([shown], 2.0, TICK_S), 20):
        [(_, low, _, high)] = chunk.unsure
        assert high - low == pytest.approx(0.4)
        for kind, onset, _, offset in chunk.expressions:
            assert low - onset == pytest.approx(2.2 if kind == MICRO else 1.2)
            assert onset < chunk.ends[-1]
            assert offset > -0.04


def test_one_who_was_filmed_for_long_is_not_all_that_is_shown():
    films = [film("long", 81.0, 0.25), film("short", 3.0, 0.5), film("short", 6.0, 0.5)]
    marks = [abs(float(chunk.fields[0, 0, 0, 0])) for chunk in drawn(Footage(films, 2.0, TICK_S), 400)]
    assert marks.count(0.5) == pytest.approx(400 * 3 / (9 + 3), abs=40)  # roots of 81 s and of 9 s


def test_films_without_room_for_a_chunk_are_refused():
    crowded = film("anna", 4.0, happened=tuple(Happened("blink", t, t + 0.2) for t in np.arange(0.0, 4.0, 0.5)))
    with pytest.raises(DataError, match=r"no film shows 2 s without blink"):
        Footage([crowded], 2.0, TICK_S, ("blink",))


def test_two_at_once_are_seen_as_long_as_both_are_there():
    one, other = drawn(Footage([film("anna", 1.0, 0.5), film("bert", 1.5, 0.25)], 2.0, TICK_S), 40)[:2]
    both = together(one, other)
    assert both.shown == min(one.shown, other.shown)
    assert np.array_equal(both.fields, one.fields + other.fields)


def test_a_distorted_movement_is_like_what_it_was_and_never_the_same():
    field = np.zeros((2, 28, 28), np.float32)
    field[0, 8:20, 8:20] = 0.01
    rng = np.random.default_rng(1)
    found = [distorted(field, rng) for _ in range(40)]
    assert all(each.shape == field.shape and each.dtype == np.float32 for each in found)
    assert not np.array_equal(found[0], found[1])
    assert np.median([np.corrcoef(each.ravel(), field.ravel())[0, 1] for each in found]) > 0.7
    halves = [abs(each[0, :, :14].sum() / each[0].sum() - 0.5) for each in found]
    assert 1 <= sum(half > 0.3 for half in halves) < 20  # some on one side alone
    assert not distorted(np.zeros_like(field), rng).any()
