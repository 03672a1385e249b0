from itertools import pairwise

import numpy as np
import pytest

from train.methods.spotter.pasted import (
    APART_S,
    FOUND,
    SPREAD,
    STRONGER,
    apart,
    apexes,
    either,
    exact,
    flow_of,
    paste,
    real,
)
from train.spotting.films import MACRO, MICRO, Film
from train.synthesis.script.strokes import MACRO_S, MICRO_S, RISE_MOST_S, StrokeSpan

TICK_S, LAG_S = 0.02, 0.35
ENDS = np.arange(1, 301) * TICK_S


def test_a_movement_rises_is_held_against_its_apex_and_goes_back():
    """With a lag longer than the rise and shorter than the hold, by hand."""
    found = flow_of(StrokeSpan(1.0, 1.2, 2.0, 2.4), ENDS, TICK_S, LAG_S)
    at = dict(zip(np.round(ENDS - TICK_S / 2, 3).tolist(), found.tolist(), strict=True))
    assert found.dtype == np.float32
    assert at[0.99] == 0.0
    assert at[1.11] == pytest.approx(0.5 + 1.875 * 0.01 / 0.2, abs=1e-3)  # half a tick after half of the rise
    assert at[1.21] == at[1.33] == 1.0  # held against rest
    assert at[1.57] == at[1.99] == 0.0  # against itself
    assert at[2.21] == pytest.approx(0.5 - 1.875 * 0.01 / 0.4 - 1.0, abs=1e-3)
    assert at[2.41] < -0.9  # at rest, against what was nearly the apex
    assert (found[ENDS > 2.4 + LAG_S + 2 * TICK_S] == 0.0).all()
    assert found.min() >= -1.0


def test_what_a_movement_adds_it_takes_away_again():
    found = flow_of(StrokeSpan(1.0, 1.1, 1.15, 1.3), ENDS, TICK_S, LAG_S)
    assert found.max() == -found.min() == pytest.approx(1.0, abs=0.02)
    assert found.sum() == pytest.approx(0.0, abs=2e-3)
    shorter = flow_of(StrokeSpan(1.0, 1.1, 1.15, 1.3), ENDS, TICK_S, 0.02)
    assert shorter.max() < 0.5


def test_expressions_are_apart_when_no_two_of_them_come_too_near():
    one = [(MICRO, 1.0, 1.1, 1.3), (MACRO, 4.0, 4.5, 5.0)]
    assert apart(one, [])
    assert apart([], one)
    for gap, wanted in ((APART_S - 0.01, False), (APART_S + 0.01, True)):
        after, before = 1.3 + gap, 4.0 - gap
        assert apart(one, [(MICRO, after, after + 0.1, before)]) is wanted
        assert apart([(MICRO, after, after + 0.1, before)], one) is wanted
    assert not apart(one, [(MICRO, 0.0, 3.0, 9.0)])
    assert not apart(one, [(MICRO, 4.2, 4.3, 4.4)])


@pytest.fixture
def known():
    """Two apex fields: one moves to the right alone, one down, so that they tell in which cells they are."""
    fields = np.zeros((2, 2, 4, 4), np.float16)
    fields[0, 0], fields[1, 1] = 0.01, 0.02
    return fields


def test_what_is_pasted_moves_by_a_known_field_and_is_named(known):
    fields = np.zeros((300, 2, 4, 4), np.float32)
    [(kind, onset, apex, offset)] = paste(ENDS, fields, [], exact(known), [MICRO], LAG_S, np.random.default_rng(4))
    assert kind == MICRO
    assert ENDS[0] <= onset < apex < offset <= ENDS[-1]
    assert MICRO_S[0] <= offset - onset <= MICRO_S[1]
    assert apex - onset <= RISE_MOST_S
    assert not fields[onset > ENDS].any()
    assert not fields[offset + LAG_S + TICK_S < ENDS].any()
    moved = fields[int(np.argmin(np.abs(ENDS - apex)))]
    [axis] = np.flatnonzero(np.abs(moved).max((1, 2)))
    assert np.ptp(moved[axis]) == 0.0
    assert 0.5 * known[axis, axis, 0, 0] < moved[axis, 0, 0] < 1.2 * known[axis, axis, 0, 0]
    assert fields[:, axis].min() < -0.5 * moved[axis, 0, 0]  # the way back


def test_a_macro_expression_is_longer_and_stronger(known):
    ends = np.arange(1, 2001) * TICK_S
    fields = np.zeros((2000, 2, 4, 4), np.float32)
    found = paste(
        ends, fields, [], exact(known[:1]), [MACRO] * 12, 9.0, np.random.default_rng(7)
    )  # against rest throughout
    assert len(found) > 3
    for kind, onset, apex, offset in found:
        assert kind == MACRO
        assert MACRO_S[0] <= offset - onset <= MACRO_S[1]
        assert onset < apex < offset
    sizes = [fields[int(np.argmin(np.abs(ends - apex))), 0, 0, 0] / known[0, 0, 0, 0] for _, _, apex, _ in found]
    assert FOUND * STRONGER[0] * np.exp(-3 * SPREAD) < max(sizes) < FOUND * STRONGER[1] * np.exp(3 * SPREAD)
    assert max(sizes) > 1.5


def test_nothing_is_pasted_too_near_to_others_or_to_itself(known):
    there = [(MACRO, 1.0, 2.0, 2.5)]
    fields = np.zeros((300, 2, 4, 4), np.float32)
    found = paste(ENDS, fields, there, exact(known), [MICRO] * 30, LAG_S, np.random.default_rng(5))
    assert there == [(MACRO, 1.0, 2.0, 2.5)]
    assert 1 < len(found) < 9
    times = sorted((onset, offset) for _, onset, _, offset in there + found)
    assert all(later[0] - earlier[1] >= APART_S for earlier, later in pairwise(times))


def test_a_film_with_no_room_stays_as_it_is(known):
    fields = np.zeros((300, 2, 4, 4), np.float32)
    everywhere = [(MACRO, 0.0, 3.0, 6.0)]
    assert paste(ENDS, fields, everywhere, exact(known), [MICRO, MACRO] * 3, LAG_S, np.random.default_rng(6)) == []
    assert not fields.any()


def test_movements_of_real_people_are_made_as_small_as_micro_expressions():
    rng = np.random.default_rng(8)
    seen = 0.1 * rng.random((3, 2, 28, 28), np.float32)
    largest = [np.abs(real(seen)(MICRO, rng)).max() for _ in range(60)]
    assert 0.001 < min(largest) < max(largest) < 0.2
    assert np.median(largest) < 0.06


def test_a_share_of_the_movements_is_of_the_other_kind():
    ones, twos = (lambda kind, rng, value=value: np.full((2, 4, 4), value, np.float32) for value in (1.0, 2.0))
    rng = np.random.default_rng(2)
    drawn = [either(ones, twos, 0.25)(MICRO, rng)[0, 0, 0] for _ in range(400)]
    assert drawn.count(2.0) == pytest.approx(100, abs=30)
    assert {either(ones, twos, 0.0)(MICRO, rng)[0, 0, 0] for _ in range(9)} == {1.0}


def test_what_a_film_shows_at_its_apexes_is_taken_with_its_mirror():
    ticks = np.zeros((300, 2 * 28 * 28 + 4), np.float16)
    ticks[100, 3] = 0.5  # right, in the first row and the fourth column, at 2.02 s
    fast, slow = (MACRO, 1.8, 2.015, 3.0), (MACRO, 3.0, 3.5, 4.0)
    film = Film("anna", 6.0, ENDS, ticks, np.array([fast, slow]), rate_hz=50.0)
    found = apexes([film])
    assert found.shape == (2, 2, 28, 28)
    assert (found[0, 0, 0, 3], found[1, 0, 0, 24]) == (0.5, -0.5)
    assert np.count_nonzero(found) == 2
    assert apexes([]).shape == (0, 2, 28, 28)
