"""Likelihoods over time through the spotter of a face: what is told of them, when, and what a calibration hushes."""

from itertools import count

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.records import Apex, Crop, Motion, Offset, Onset, Pose
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.spotting import detector
from realtime.spotting.detector import STILL, FaceSpotter
from realtime.spotting.scorer import PAUSE_S, Spot

TICK_S, LOOKBACK_S = 1 / 60, 0.1
SETTINGS = msgspec.structs.replace(
    config.load().spotter, open=0.6, close=0.3, early=0.8, micro=0.8, macro=0.7, fall=0.3, micro_max_s=0.5,
    macro_max_s=3.0, calibrate_s=0.5,
)  # fmt: skip
SEEN = Motion(0.0, 0.0, np.ones((2, FIELD_PX, FIELD_PX), np.float32))


def line(*points):
    """A likelihood that goes straight from one (time, value) to the next."""
    times, values = zip(*points, strict=True)
    return lambda t: float(np.interp(t, times, values))


def expression(onset, offset, apex=None):
    """Likelihoods of an expression, of a micro-expression and of its apex; nobody knows the last of one without."""
    lasting = line((onset, 0.0), (onset + 0.1, 0.9), (offset - 0.1, 0.9), (offset, 0.0))
    return lasting, lasting, apex or (lambda t: 0.0)


def peak_at(t):
    return line((t - 0.1, 0.0), (t, 0.9), (t + 0.1, 0.0))


MICRO = expression(1.0, 1.4, peak_at(1.2))


def kinds_of_moment(found):
    return [type(moment) for _, moment in found]


@pytest.fixture
def play(monkeypatch):
    """(time of the crop, moment) each, of likelihoods over time; `ask` is when the face is said to be neutral."""

    class Scripted:
        delay_s = LOOKBACK_S

        def __init__(self, curves):
            self.curves = curves

        def push(self, crop):
            moment = crop.t - self.delay_s
            return [] if crop.t < 0.2 else [Spot(moment, *(curve(moment) for curve in self.curves))]

    class Unmoved:
        def __init__(self, lag_s, crop_px, pause_s):
            assert (lag_s, crop_px, pause_s) == (LAG_S, 64, PAUSE_S)

        def push(self, crop):
            return None if crop.t < 0.2 else (SEEN, np.zeros(3))

    monkeypatch.setattr(detector, "LaggedFlow", Unmoved)

    def played(curves, until=3.0, ask=None):
        found = []
        monkeypatch.setattr(detector, "scorer_of", lambda engine, flow: Scripted(curves))
        spotter = FaceSpotter(SETTINGS, 64, None, count(1))
        for t in (np.arange(round(until / TICK_S)) * TICK_S).tolist():
            if ask is not None and t >= ask:
                spotter.calibrate()
                ask = None
            crop = Crop(7, t, np.zeros((4, 4, 3), np.uint8), STILL[0], STILL[0, :2, :3], Pose(0.0, 0.0, 0.0))
            found += [(t, moment) for moment in spotter.push(crop)]
        return found, spotter

    return played


def test_the_score_is_how_likely_an_expression_is_and_opens_an_event_at_the_threshold(play):
    _, spotter = play(MICRO, until=0.1)
    assert (spotter.score, spotter.threshold) == (0.0, SETTINGS.open)
    assert not spotter.field.any()
    found, spotter = play(MICRO, until=1.25)
    assert spotter.score == pytest.approx(MICRO[0](1.25 - TICK_S - LOOKBACK_S))
    assert spotter.field is SEEN.field
    assert kinds_of_moment(found) == [Onset]


def test_a_micro_expressions_apex_is_told_within_the_delay(play):
    held = expression(1.0, 1.5, line((1.0, 0.9), (1.4, 0.8), (1.5, 0.0)))
    for curves in (MICRO, held):
        found, spotter = play(curves)
        [(said, apex)] = [(t, moment) for t, moment in found if isinstance(moment, Apex)]
        assert apex.kind == "micro"
        assert said - apex.t <= spotter.delay_s
        assert spotter.delay_s == SETTINGS.micro_max_s + LOOKBACK_S


def test_a_calibration_ends_the_open_event_and_hushes_what_follows(play):
    found, spotter = play(expression(1.0, 1.6), until=2.5, ask=1.3)
    assert kinds_of_moment(found) == [Onset, Offset]
    said, offset = found[1]
    assert said == pytest.approx(1.3, abs=TICK_S)  # with the next crop
    assert (offset.kind, offset.reason) == (None, "calibrated")
    assert play(MICRO, ask=1.0)[0] == []
    later, _ = play(expression(1.6, 2.0, peak_at(1.8)), ask=1.0)
    assert kinds_of_moment(later) == [Onset, Apex, Offset]  # calibrate_s is over


def test_a_stream_that_is_over_ends_the_open_event(play):
    _, spotter = play(MICRO, until=1.3)
    [offset] = spotter.flush()
    assert (offset.kind, offset.reason) == (None, "lost")
    assert spotter.flush() == []


def moments_of(spotter):
    """What it tells at the end of the stream."""
    return [(type(moment), getattr(moment, "kind", None), moment.t) for moment in spotter.finish()]


def test_at_the_streams_end_a_face_that_keeps_still_ends_its_event(play):
    _, spotter = play(MICRO, until=1.3)
    last = 1.3 - TICK_S
    assert moments_of(spotter) == [
        (Apex, "micro", pytest.approx(1.2, abs=0.01)), (Offset, "micro", pytest.approx(last)),
    ]  # fmt: skip
    assert spotter.finish() == []


def test_what_may_have_gone_on_for_long_is_lost_at_the_streams_end(play):
    _, spotter = play(expression(1.0, 1.9), until=1.3)
    [offset] = spotter.finish()
    assert (offset.kind, offset.reason) == (None, "lost")
    assert offset.t == pytest.approx(1.3 - TICK_S)


def test_what_has_peaked_is_decided_on_what_was_seen_at_the_streams_end(play):
    _, spotter = play(expression(1.0, 1.9, peak_at(1.25)), until=1.3)
    apex, offset = spotter.finish()
    assert (apex.kind, offset.kind, offset.reason) == ("micro", "micro", "")
    assert offset.t == pytest.approx(1.3 - TICK_S)


def test_a_macro_expression_that_was_seen_to_be_one_is_told_at_the_streams_end(play):
    _, spotter = play(expression(1.0, 3.0), until=2.0)
    assert [(type(m), m.kind) for m in spotter.finish() if isinstance(m, Offset)] == [(Offset, "macro")]


def test_nothing_begins_after_the_streams_end(play):
    _, spotter = play(MICRO, until=1.0)
    assert spotter.finish() == []
    _, spotter = play(MICRO, until=0.0)
    assert spotter.finish() == []


def test_a_face_that_is_being_calibrated_ends_nothing(play):
    _, spotter = play(MICRO, until=1.3, ask=1.0)
    assert spotter.finish() == []


def test_after_a_pause_the_score_is_that_of_nothing(leaky_spotter):
    spotter = FaceSpotter(SETTINGS, 64, leaky_spotter(64), count(1))
    picture = np.zeros((64, 64, 3), np.uint8)
    crops = [Crop(7, t, picture, STILL[0], STILL[0, :2, :3], Pose(0.0, 0.0, 0.0)) for t in (*np.arange(9) / 15, 2.0)]
    for crop in crops[:-1]:
        spotter.push(crop)
    assert spotter.score > 0.0
    spotter.push(crops[-1])
    assert spotter.score == 0.0
    assert not spotter.field.any()
