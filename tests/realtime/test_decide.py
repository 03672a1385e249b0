from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest

from realtime import config
from realtime.apex import STILL
from realtime.decide import BACK_S, SETTLE_S, Machine
from realtime.motion import MOUTH_ROWS, REGIONS
from realtime.records import Apex, Crop, Motion, Offset, Onset, Pose

APEX = config.load().apex
BROWS = (0, 1)
MOUTH = MOUTH_ROWS[:2]
RATE = 60.0
RATES = (24.0, 30.0, 60.0, 200.0)
PICTURE, POINTS, MATRIX = np.zeros((4, 4, 3), np.uint8), np.zeros((1, 2), np.float32), np.eye(2, 3, dtype=np.float32)


def rise_and_fall(onset, apex, offset, peak=10.0, hold_s=0.0):
    """A score that rises from `onset` to `apex`, stays for `hold_s` and is at rest again at `offset`."""

    def curve(t):
        share = (t - onset) / (apex - onset) if t <= apex else (offset - t) / (offset - apex - hold_s)
        return peak * np.sin(0.5 * np.pi * np.clip(share, 0.0, 1.0)) ** 2

    return curve


def sum_of(*curves):
    return lambda t: sum(curve(t) for curve in curves)


@dataclass(frozen=True)
class Player:
    """Plays a curve of scores through a machine: (time of emission, moment) each."""

    machine: Machine

    def __call__(self, curve, until=3.0, *, times=None, rows=BROWS, eyes=0.0, turn=lambda t: 0.0):
        told = []
        for t in np.arange(round(until * RATE)) / RATE if times is None else times:
            regions = np.full(len(REGIONS), 0.001, np.float32)
            regions[list(rows)] += 0.01 * curve(t)
            motion = Motion(float(t), regions, eyes * float(regions.max()), 0.0, STILL)
            crop = Crop(1, float(t), PICTURE, POINTS, MATRIX, Pose(0.0, 0.0, 0.0))
            told += [(float(t), moment) for moment in self.machine.push(crop, motion, float(curve(t)), turn(t))]
        return told


@pytest.fixture
def play():
    return Player(Machine(APEX, count(1)))


def new_player():
    return Player(Machine(APEX, count(1)))


def offsets(told):
    return [moment for _, moment in told if isinstance(moment, Offset)]


def verdicts(told):
    return [(moment.kind, moment.reason) for moment in offsets(told)]


def kinds_of_moment(told):
    return [type(moment) for _, moment in told]


def test_a_short_movement_is_a_micro_expression(play):
    told = play(rise_and_fall(1.0, 1.15, 1.35))
    assert kinds_of_moment(told) == [Onset, Apex, Offset]
    assert {moment.event for _, moment in told} == {1}
    assert {moment.face for _, moment in told} == {1}
    onset, apex, offset = (moment for _, moment in told)
    assert (apex.kind, offset.kind, offset.reason) == ("micro", "micro", "")
    assert onset.t == apex.onset == offset.onset == pytest.approx(1.0, abs=0.05)
    assert apex.t == offset.apex == pytest.approx(1.15, abs=1 / RATE)
    assert 1.25 < offset.t < 1.35
    assert apex.strength == offset.strength == pytest.approx(10.0, rel=0.01)


def test_a_long_movement_is_a_macro_expression(play):
    told = play(rise_and_fall(0.5, 0.8, 2.5, hold_s=1.4))
    assert kinds_of_moment(told) == [Onset, Apex, Offset]
    assert verdicts(told) == [("macro", "")]
    assert told[1][1].kind == "macro"  # it was held for longer than a micro-expression lasts


@pytest.mark.parametrize(("duration", "kind"), [(0.45, "micro"), (0.65, "macro")])
def test_half_a_second_divides_micro_from_macro(play, duration, kind):
    assert verdicts(play(rise_and_fall(1.0, 1.0 + duration / 2, 1.0 + duration, 20.0))) == [(kind, "")]


def test_an_early_guess_may_be_corrected(play):
    told = play(sum_of(rise_and_fall(1.0, 1.2, 1.4, 12.0), rise_and_fall(1.3, 1.5, 2.2, 6.0)))
    assert [moment.kind for _, moment in told[1:]] == ["micro", "macro"]


def test_a_face_that_does_not_come_back_is_held_and_closed(play):
    told = play(rise_and_fall(0.5, 0.7, 99.0, hold_s=98.0), until=0.5 + APEX.macro_max_s + 0.9 * SETTLE_S)
    assert kinds_of_moment(told) == [Onset, Apex, Offset]
    assert verdicts(told) == [("macro", "held")]
    assert offsets(told)[0].t == pytest.approx(0.5 + APEX.macro_max_s, abs=0.1)


def test_what_follows_a_held_face_begins_after_it(play):
    told = play(rise_and_fall(0.5, 0.7, 99.0, hold_s=98.0), until=0.5 + APEX.macro_max_s + SETTLE_S + 0.5)
    [held] = offsets(told)
    assert [moment.t >= held.t for _, moment in told if isinstance(moment, Onset)] == [False, True]


def test_what_is_too_short_is_noise(play):
    told = play(rise_and_fall(1.0, 1.02, 1.04, 20.0), times=np.arange(0, 2, 1 / 200))
    assert verdicts(told) == [(None, "short")]


def test_one_frame_over_the_threshold_is_nothing(play):
    assert play(lambda t: 50.0 * (round(t * RATE) == 60)) == []


def test_what_stays_under_the_threshold_is_nothing(play):
    assert play(rise_and_fall(1.0, 1.2, 1.4, 0.98 * APEX.threshold)) == []


@pytest.mark.parametrize(("eyes", "verdict"), [(0.9, ("micro", "")), (1.1, (None, "blink"))])
def test_a_movement_mostly_of_the_eyes_is_a_blink(play, eyes, verdict):
    assert verdicts(play(rise_and_fall(1.0, 1.1, 1.3), eyes=eyes * APEX.blink_ratio)) == [verdict]


MICRO, MACRO = rise_and_fall(1.0, 1.15, 1.35), rise_and_fall(1.0, 1.3, 2.5, hold_s=0.8)


@pytest.mark.parametrize(
    ("curve", "degrees", "verdict"),
    [
        (MICRO, 0.9 * APEX.turn_deg, ("micro", "")),
        (MICRO, 1.1 * APEX.turn_deg, (None, "head")),
        (MACRO, 1.1 * APEX.turn_deg, ("macro", "")),
        (MACRO, 1.1 * APEX.turn_macro_deg, (None, "head")),
    ],
)
def test_a_turning_head_makes_no_expression(play, curve, degrees, verdict):
    assert verdicts(play(curve, turn=lambda t: degrees)) == [verdict]


def test_a_head_that_turns_after_the_peak_takes_nothing_back(play):
    told = play(MICRO, turn=lambda t: 60.0 * (t > 1.2))
    assert verdicts(told) == [("micro", "")]


def syllables(t):
    """Up and down five times a second between 1 and 2 s, never near rest."""
    return rise_and_fall(1.0, 1.1, 2.0, 10.0, hold_s=0.8)(t) * (0.75 + 0.25 * np.cos(2 * np.pi * 5 * (t - 1.1)))


def test_a_mouth_that_goes_up_and_down_speaks(play):
    assert verdicts(play(syllables, rows=MOUTH)) == [(None, "speech")]


def test_brows_that_go_up_and_down_do_not_speak(play):
    assert verdicts(play(syllables, rows=BROWS)) == [("macro", "")]


@pytest.mark.parametrize(
    ("pause_s", "rows", "second"),
    [(0.1, MOUTH, (None, "speech")), (0.5, MOUTH, ("micro", "")), (0.1, BROWS, ("micro", ""))],
)
def test_mouth_movements_that_follow_each_other_fast_are_speech(play, pause_s, rows, second):
    begin = 1.35 + pause_s
    told = play(sum_of(MICRO, rise_and_fall(begin, begin + 0.15, begin + 0.35)), rows=rows)
    assert verdicts(told) == [("micro", ""), second]


def test_the_onset_is_dated_back_to_where_the_rise_began(play):
    told = play(rise_and_fall(1.0, 1.4, 1.6, 6.0))
    emitted, onset = told[0]
    assert onset.t == pytest.approx(1.05, abs=0.06)
    assert emitted - onset.t > 0.15


def test_an_onset_is_no_part_of_a_drift_at_rest(play):
    def drift(t):
        return 0.09 * APEX.threshold * min(t, 1.0)

    told = play(sum_of(drift, rise_and_fall(1.0, 1.15, 1.35)))
    assert told[0][1].t == pytest.approx(1.0, abs=0.06)


def test_an_onset_is_no_part_of_a_movement_before(play):
    before = rise_and_fall(0.8, 0.95, 1.15, 0.9 * APEX.threshold)  # too small to be an event
    told = play(sum_of(before, rise_and_fall(1.1, 1.25, 1.45)))
    assert told[0][1].t == pytest.approx(1.1, abs=0.06)


def test_an_onset_is_looked_for_no_farther_back_than_a_second(play):
    told = play(lambda t: 1.2 * APEX.threshold * min(t / 2.9, 1.0))
    emitted, onset = told[0]
    assert emitted - onset.t <= BACK_S


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("half_s", [0.12, 0.2])
@pytest.mark.parametrize("peak", [8.0, 30.0])
def test_the_apex_of_a_symmetric_movement_is_its_middle(rate, half_s, peak):
    for phase in (0.0, 0.3, 0.7):
        curve = rise_and_fall(1.0, 1.0 + half_s, 1.0 + 2 * half_s, peak)
        told = new_player()(curve, times=(np.arange(round(2 * rate)) + phase) / rate)
        assert [moment.apex for moment in offsets(told)] == [pytest.approx(1.0 + half_s, abs=1 / rate)]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "curve", [MICRO, MACRO, rise_and_fall(1.0, 1.1, 1.3), rise_and_fall(1.0, 1.25, 1.4, 30.0)], ids=range(4)
)
def test_the_frame_rate_changes_no_moment_by_more_than_a_frame(rate, curve):
    exact = new_player()(curve, times=np.arange(0, 3, 1 / 1000))
    found = new_player()(curve, times=np.arange(0, 3, 1 / rate))
    assert verdicts(found) == verdicts(exact)
    assert kinds_of_moment(found) == kinds_of_moment(exact)
    for one, other in zip(offsets(found), offsets(exact), strict=True):
        assert one.onset == pytest.approx(other.onset, abs=1 / rate + 1e-3)
        assert one.apex == pytest.approx(other.apex, abs=1 / rate)
        assert one.t == pytest.approx(other.t, abs=1 / rate + 1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_dropped_frames_blur_times_by_no_more_than_the_holes(seed):
    whole = np.arange(0, 3, 1 / RATE)
    some = whole[np.random.default_rng(seed).random(len(whole)) > 0.3]
    hole = float(np.diff(some).max())
    [exact], [found] = (offsets(new_player()(MICRO, times=times)) for times in (whole, some))
    assert (found.kind, found.reason) == ("micro", "")
    assert (found.onset, found.apex, found.t) == pytest.approx((exact.onset, exact.apex, exact.t), abs=hole)


def test_the_tail_of_an_event_is_no_new_event(play):
    told = play(rise_and_fall(0.5, 0.8, 4.0, 60.0, hold_s=0.6), until=5.0)
    [offset] = offsets(told)
    assert offset.strength * APEX.release_peak > 2 * APEX.threshold  # it ended far above the threshold
    assert kinds_of_moment(told) == [Onset, Apex, Offset]


def test_after_an_event_the_next_may_follow(play):
    told = play(sum_of(MICRO, rise_and_fall(1.6, 1.75, 1.95)))
    assert verdicts(told) == [("micro", "")] * 2
    assert [moment.event for moment in offsets(told)] == [1, 2]


def test_the_machine_says_whether_an_event_is_open(play):
    assert (play.machine.onset, play.machine.settling) == (None, False)
    play(MICRO, until=1.2)
    assert play.machine.onset == pytest.approx(1.0, abs=0.05)
    play(rise_and_fall(0.5, 0.8, 4.0, 60.0, hold_s=0.6), times=np.arange(1.2, 3.3, 1 / RATE))
    assert (play.machine.onset, play.machine.settling) == (None, True)


def test_an_apex_is_told_when_the_movement_falls_and_not_when_it_stops_rising(play):
    emitted = next(t for t, moment in play(rise_and_fall(1.0, 1.15, 1.45, hold_s=0.1)) if isinstance(moment, Apex))
    assert 1.25 < emitted < 1.36


def test_an_apex_is_told_at_latest_when_it_can_be_no_micro_expression(play):
    emitted = next(t for t, moment in play(MACRO) if isinstance(moment, Apex))
    assert emitted == pytest.approx(1.0 + APEX.micro_max_s, abs=0.1)


@pytest.mark.parametrize(
    ("until", "eyes", "verdict"),
    [(1.2, 0.0, (None, "lost")), (1.8, 0.0, ("macro", "")), (1.2, 9.0, (None, "blink")), (1.8, 9.0, (None, "blink"))],
)
def test_a_flush_ends_an_open_event_where_it_is(play, until, eyes, verdict):
    assert offsets(play(MACRO, until=until, eyes=eyes)) == []
    [offset] = play.machine.flush()
    assert (offset.kind, offset.reason) == verdict
    assert offset.t == pytest.approx(until, abs=1.5 / RATE)
    assert play.machine.flush() == []


def test_a_flush_at_rest_says_nothing(play):
    play(MICRO, until=2.5)
    assert play.machine.flush() == []


def test_events_of_all_faces_are_numbered_together():
    ids = count(5)
    first, second = Player(Machine(APEX, ids)), Player(Machine(APEX, ids))
    numbers = [moment.event for player in (first, second) for moment in offsets(player(MICRO))]
    assert numbers == [5, 6]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_scores_every_event_begins_peaks_and_ends_once_and_in_order(seed):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, rng.choice([1.0, 3.0, 8.0]), 1200)
    scores = np.empty(1200)
    value = 0.0
    for i, step in enumerate(steps):
        scores[i] = value = 0.93 * value + step
    play = new_player()
    told = play(lambda t: scores[round(t * RATE)], times=np.arange(1200) / RATE)
    told += [(20.0, moment) for moment in play.machine.flush()]
    by_event = {}
    for emitted, moment in told:
        by_event.setdefault(moment.event, []).append(moment)
        assert moment.t <= emitted
    assert list(by_event) == list(range(1, len(by_event) + 1))
    ended = 0.0
    for moments in by_event.values():
        assert [type(moment) for moment in moments] in ([Onset, Apex, Offset], [Onset, Offset])
        assert type(moments[1]) is Apex or moments is list(by_event.values())[-1]  # only a flush ends one unpeaked
        assert ended <= moments[-1].onset <= moments[-1].apex <= moments[-1].t
        assert {moment.onset for moment in moments[1:]} == {moments[0].t}
        ended = moments[-1].t
