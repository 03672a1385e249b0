"""Scripted spots through the event detector: what is told of them, and when."""

from itertools import count

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.records import Apex, Offset, Onset
from realtime.spotting.decide import EventDetector
from realtime.spotting.scorer import PAUSE_S, Spot

TICK_S = 1 / 60
SETTINGS = msgspec.structs.replace(
    config.load().spotter, open=0.6, close=0.3, sunk=0.0, early=0.8, micro=0.8, macro=0.7, fall=0.3, micro_max_s=0.5,
    macro_max_s=3.0,
)  # fmt: skip


def line(*points):
    """A likelihood that goes straight from one (time, value) to the next."""
    times, values = zip(*points, strict=True)
    return lambda t: float(np.interp(t, times, values))


def never(t):
    return 0.0


def lasting(onset, offset, peak=0.9):
    """Above 0.3 from a third of a tenth of a second after the onset to as long before the offset."""
    return line((onset, 0.0), (onset + 0.1, peak), (offset - 0.1, peak), (offset, 0.0))


def peak_at(t, likely=0.9):
    return line((t - 0.1, 0.0), (t, likely), (t + 0.1, 0.0))


MICRO = (lasting(1.0, 1.4), lasting(1.0, 1.4), peak_at(1.2))


def spots(expression, micro=never, apex=never, until=3.0, since=0.0):
    times = np.arange(round(since / TICK_S), round(until / TICK_S)) * TICK_S
    return [Spot(float(t), expression(t), micro(t), apex(t)) for t in times]


def told(script, detector=None):
    """(time of the spot, moment) each."""
    detector = detector or EventDetector(SETTINGS, count(1))
    return [(spot.t, moment) for spot in script for moment in detector.push(7, spot)]


def kinds_of_moment(found):
    return [type(moment) for _, moment in found]


def test_only_what_may_yet_be_a_micro_expression_is_awaited():
    detector = EventDetector(SETTINGS, count(1))
    assert not detector.awaits(0.0)
    told(spots(*MICRO, until=1.3), detector)
    assert detector.awaits(1.35)
    assert not detector.awaits(1.0333 + SETTINGS.micro_max_s + 2 * TICK_S)
    detector.flush()
    assert not detector.awaits(1.35)


def test_a_short_expression_is_told_as_it_begins_peaks_and_ends():
    found = told(spots(*MICRO))
    assert kinds_of_moment(found) == [Onset, Apex, Offset]
    assert {(moment.event, moment.face) for _, moment in found} == {(1, 7)}
    (began, onset), (peaked, apex), (ended, offset) = found
    assert began == pytest.approx(1.0667, abs=1.5 * TICK_S)  # where `open` was passed,
    assert onset.t == apex.onset == offset.onset == pytest.approx(1.0333, abs=1.5 * TICK_S)  # and before it `close`
    assert onset.t < began
    assert apex.t == offset.apex == pytest.approx(1.2, abs=1e-3)
    assert peaked == pytest.approx(1.2 + 0.3 * 0.1, abs=1.5 * TICK_S)
    assert offset.t == ended == pytest.approx(1.3667, abs=1.5 * TICK_S)
    assert (apex.kind, offset.kind, offset.reason) == ("micro", "micro", "")


def test_the_strength_is_the_odds_of_the_kind_that_it_is_told_as():
    (_, _), (_, apex), (_, offset) = told(spots(lasting(1.0, 1.4, 0.95), lasting(1.0, 1.4, 0.9), peak_at(1.2)))
    assert apex.strength == pytest.approx(0.9 / 0.1)  # that it will be brief,
    assert offset.strength == pytest.approx(0.95 / 0.05)  # and that it was an expression
    *_, (_, macro) = told(spots(lasting(1.0, 2.0, 0.75), lasting(1.0, 2.0, 0.9)))
    assert (macro.kind, macro.strength) == ("macro", pytest.approx(0.75 / 0.25))
    *_, (_, certain) = told(spots(lasting(1.0, 1.4, 1.0), lasting(1.0, 1.4, 1.0)))
    assert np.isfinite(certain.strength)


def test_an_onset_lies_no_further_back_than_the_last_spot_below_close():
    dips = line((0.8, 0.5), (0.9, 0.2), (1.0, 0.5), (1.5, 0.5), (1.6, 0.9))
    [(_, onset), *_] = told(spots(dips))
    assert onset.t == pytest.approx(1.52 - 0.5, abs=2 * TICK_S)  # and no further than half a second
    soon = line((1.0, 0.5), (1.2, 0.2), (1.3, 0.5), (1.4, 0.9))
    [(_, onset), *_] = told(spots(soon))
    assert onset.t == pytest.approx(1.2333, abs=1.5 * TICK_S)


def test_an_apex_is_the_middle_of_its_likeliest_spots():
    flat = line((1.05, 0.0), (1.1, 0.8), (1.2, 0.8), (1.25, 0.0))
    (_, _), (peaked, apex), _ = told(spots(lasting(1.0, 1.4), lasting(1.0, 1.4), flat))
    assert apex.t == pytest.approx(1.15, abs=2e-3)
    assert peaked > 1.2


def test_an_apex_is_told_once_however_often_it_seems_to_come_back():
    twice = line((1.1, 0.0), (1.15, 0.9), (1.2, 0.1), (77 * TICK_S, 0.95), (1.34, 0.0))
    found = told(spots(lasting(1.0, 1.4), lasting(1.0, 1.4), twice))
    assert kinds_of_moment(found) == [Onset, Apex, Offset]
    assert found[1][1].t == pytest.approx(1.15, abs=1.5 * TICK_S)
    assert found[2][1].apex == pytest.approx(1.28, abs=1.5 * TICK_S)  # the offset knows the whole


SINKING = msgspec.structs.replace(SETTINGS, sunk=0.2)


def test_one_may_follow_another_before_the_face_has_come_to_rest():
    twice = line((1.0, 0.0), (1.1, 0.95), (1.2, 0.95), (1.3, 0.5), (1.5, 0.5), (1.6, 0.95), (1.7, 0.95), (1.8, 0.0))
    assert kinds_of_moment(told(spots(twice))) == [
        Onset,
        Apex,
        Offset,
    ]  # a macro-expression: as long as it is likely it is one,
    found = told(spots(twice), EventDetector(SINKING, count(1)))
    assert kinds_of_moment(found) == [Onset, Offset, Onset, Offset]  # unless its odds sink
    (_, _), (_, first), (_, second), (_, last) = found
    assert first.t == pytest.approx(1.28, abs=0.02)  # below what opens one, and from 19 to one
    assert second.t >= 1.3
    assert (first.kind, last.kind) == ("micro", "micro")


def test_what_becomes_less_likely_and_no_more_is_no_other_one():
    found = told(
        spots(line((1.0, 0.0), (1.1, 0.95), (1.3, 0.55), (2.0, 0.55), (2.1, 0.0))), EventDetector(SINKING, count(1))
    )
    assert kinds_of_moment(found) == [Onset, Offset]


def test_what_is_as_likely_as_what_opens_an_event_has_not_sunk_however_sure_it_was():
    script = spots(line((1.0, 0.0), (1.1, 0.9999), (1.3, 0.9999), (1.35, 0.98), (2.0, 0.98), (2.1, 0.9999), (2.3, 0.0)))
    found = [moment for _, moment in told(script, EventDetector(SINKING, count(1))) if isinstance(moment, Offset)]
    assert [moment.kind for moment in found] == ["macro"]


def test_a_gap_right_after_the_onset_ends_the_event():
    script = spots(lasting(1.0, 3.0), until=4.0)
    begun = next(i for i, spot in enumerate(script) if spot.expression >= SETTINGS.open)
    found = told([*script[: begun + 1], *script[begun + 60 :]])
    assert kinds_of_moment(found)[:2] == [Onset, Offset]
    assert found[1][1].reason == "lost"


def test_another_may_follow_one_that_was_held_for_too_long():
    face = line((1.0, 0.0), (1.1, 0.8), (4.2, 0.8), (4.4, 0.55), (4.6, 0.97), (4.7, 0.97), (4.8, 0.0))
    detector = EventDetector(msgspec.structs.replace(SETTINGS, sunk=0.2, macro_max_s=2.0), count(1))
    found = [moment for _, moment in told(spots(face, until=5.0), detector) if isinstance(moment, Offset)]
    assert [(moment.kind, moment.reason) for moment in found] == [("macro", "held"), ("micro", "")]


def test_a_long_expression_is_a_macro_expression_as_soon_as_it_is_too_long_for_another():
    found = told(spots(lasting(1.0, 2.0), apex=peak_at(1.3)))
    assert kinds_of_moment(found) == [Onset, Apex, Offset]
    (_, onset), (peaked, apex), (_, offset) = found
    assert (apex.kind, offset.kind, offset.reason) == ("macro", "macro", "")
    assert peaked == pytest.approx(onset.t + SETTINGS.micro_max_s, abs=2 * TICK_S)
    assert apex.t == pytest.approx(1.3, abs=1e-3)


def test_what_seemed_short_and_goes_on_is_told_again_as_a_macro_expression():
    found = told(spots(lasting(1.0, 2.0), lasting(1.0, 1.3), peak_at(1.2)))
    assert [moment.kind for _, moment in found[1:]] == ["micro", "macro", "macro"]
    assert kinds_of_moment(found) == [Onset, Apex, Apex, Offset]
    assert {moment.event for _, moment in found} == {1}


@pytest.mark.parametrize(("offset", "peak"), [(1.4, 0.75), (2.0, 0.65)])
def test_what_was_never_likely_enough_is_unsure(offset, peak):
    found = told(spots(lasting(1.0, offset, peak), lasting(1.0, 1.4, 0.75), peak_at(1.2)))
    assert kinds_of_moment(found) == [Onset, Offset]
    assert (found[1][1].kind, found[1][1].reason) == (None, "unsure")


def test_what_is_likely_at_its_apex_and_no_more_at_its_end_is_taken_back():
    found = told(spots(lasting(1.0, 1.4, 0.75), lasting(1.0, 1.4), peak_at(1.2)))
    assert kinds_of_moment(found) == [Onset, Apex, Offset]
    assert (found[1][1].kind, found[2][1].kind, found[2][1].reason) == ("micro", None, "unsure")


def test_what_is_over_soon_is_a_micro_expression_whatever_it_looked_like():
    found = told(spots(lasting(1.0, 1.4), lasting(1.0, 1.4, 0.1), peak_at(1.2)))
    assert kinds_of_moment(found) == [Onset, Offset]
    assert (found[1][1].kind, found[1][1].reason) == ("micro", "")


def test_what_stays_below_open_is_nothing():
    assert told(spots(lasting(1.0, 1.4, 0.59), lasting(1.0, 1.4), peak_at(1.2))) == []


def test_an_expression_that_does_not_end_is_held_and_the_next_begins_when_it_is_gone():
    ends, again = 1.0 + SETTINGS.macro_max_s, 5.5
    stays = line((1.0, 0.0), (1.1, 0.9), (5.0, 0.9), (5.1, 0.0), (again, 0.0), (again + 0.1, 0.9))
    found = told(spots(stays, until=6.0))
    assert kinds_of_moment(found) == [Onset, Apex, Offset, Onset]
    (_, _), (_, _), (ended, held), (_, onset) = found
    assert (held.kind, held.reason) == ("macro", "held")
    assert ended == pytest.approx(ends + 0.04, abs=2 * TICK_S)
    assert onset.event == 2
    assert onset.t == pytest.approx(again + 0.0333, abs=1.5 * TICK_S)


def test_a_face_that_leaves_ends_its_event_where_it_is():
    for until, kind, reason in [(1.18, None, "lost"), (1.3, "micro", ""), (1.8, "macro", "")]:
        detector = EventDetector(SETTINGS, count(1))
        [*_, last] = told(spots(lasting(1.0, 2.0), lasting(1.0, 1.3), peak_at(1.2), until), detector)
        [offset] = detector.flush()
        assert (offset.kind, offset.reason, offset.event) == (kind, reason, last[1].event)
        assert until - 2 * TICK_S < offset.t < until
        assert detector.flush() == []
    assert EventDetector(SETTINGS, count(1)).flush() == []


def test_after_a_gap_an_open_event_is_lost_and_nothing_is_dated_back_over_it():
    detector = EventDetector(SETTINGS, count(1))
    begun = told(spots(lasting(1.0, 9.0), lasting(1.0, 9.0), until=1.2), detector)
    assert kinds_of_moment(begun) == [Onset]
    later = 1.2 + PAUSE_S + 0.1
    (_, lost), (_, onset) = told(spots(lasting(1.0, 9.0), lasting(1.0, 9.0), until=2.0, since=later), detector)[:2]
    assert (lost.kind, lost.reason, lost.event) == (None, "lost", 1)
    assert lost.t < 1.2
    assert (onset.event, onset.t) == (2, pytest.approx(later, abs=1.5 * TICK_S))


def test_events_are_numbered_from_the_ids_of_all_faces():
    ids = count(5)
    detectors = [EventDetector(SETTINGS, ids) for _ in range(2)]
    found = [moment for spot in spots(*MICRO) for detector in detectors for moment in detector.push(7, spot)]
    assert [moment.event for moment in found if isinstance(moment, Offset)] == [5, 6]


def wandering(seed, ticks=1500):
    """Spots that are now likely and now unlikely, for some time or for a moment."""
    steps = np.cumsum(np.random.default_rng(seed).normal(0, 1, (ticks, 3)) * (0.15 + 0.1 * seed, 0.8, 1.6), axis=0)
    return [Spot(i * TICK_S, *row) for i, row in enumerate((0.5 + 0.5 * np.sin(steps)).tolist())]


def test_no_two_events_are_ever_open_and_none_begins_before_the_last_one_ended():
    verdicts = set()
    for seed in range(4):
        detector = EventDetector(msgspec.structs.replace(SETTINGS, macro_max_s=0.8), count(1))
        moments = [moment for _, moment in told(wandering(seed), detector)] + detector.flush()
        event, ended = None, -1.0
        for moment in moments:
            if isinstance(moment, Onset):
                assert event is None
                assert moment.t > ended
                event = moment.event
            assert moment.event == event
            if isinstance(moment, Offset):
                assert moment.onset <= moment.apex <= moment.t
                event, ended = None, moment.t
                verdicts.add((moment.kind, moment.reason))
        assert event is None
    assert verdicts >= {("micro", ""), ("macro", ""), ("macro", "held"), (None, "unsure")}
