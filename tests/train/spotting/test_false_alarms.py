"""False micro-expressions, and what they lie on; of two people."""

import numpy as np
import pytest

from train.spotting.false_alarms import DISTRACTORS, early, false_alarms, lying_on, surest
from train.spotting.films import MACRO, MICRO, Film
from train.spotting.happened import Happened
from train.spotting.movements import Detection


def film(person, expressions, happened):
    shown = np.array(expressions, np.float64).reshape(-1, 4)
    return Film(person, 30.0, np.zeros(0), np.zeros((0, 4), np.float16), shown, tuple(happened), rate_hz=50.0)


@pytest.fixture
def films():
    gaze = [Happened("gaze", 4.0, 6.0), Happened("blink", 5.0, 5.2), Happened("flicker", 0.0, 30.0)]
    return [
        film("anna", [(MICRO, 1.0, 1.1, 1.4), (MACRO, 8.0, 9.0, 10.0)], [*gaze, Happened("macro", 8.0, 10.0)]),
        film("bert", [(MICRO, 2.0, 2.1, 2.4), (MICRO, 5.0, 5.1, 5.4)], [Happened("blink", 9.0, 9.2)]),
    ]


def said(video, onset, confidence=1.0, kind="micro"):
    return Detection(video, kind, onset, onset + 0.1, onset + 0.4, confidence, onset + 0.5)


def test_a_micro_expression_that_is_none_is_a_false_alarm(films):
    right = [said("anna", 1.02), said("bert", 2.0)]
    wrong = [said("anna", 2.0), said("anna", 8.5), said("bert", 1.0)]
    assert false_alarms(films, [*right, *wrong, said("anna", 4.0, kind="macro")]) == wrong


def test_an_alarm_counts_for_all_that_happens_meanwhile(films):
    on = {"gaze": 2, "blink": 2, "macro": 1, "flicker": 4}
    alarms = [said("anna", 4.9), said("anna", 5.5), said("anna", 8.5), said("anna", 20.0), said("bert", 9.1)]
    assert lying_on(films, alarms, 0.0) == {name: on.get(name, 0) for name in DISTRACTORS}
    assert set(lying_on(films, [], 0.0).values()) == {0}


def test_a_call_is_right_if_its_apex_lies_within_a_micro_expression(films):
    inside, again, late = said("anna", 1.2), said("anna", 0.95), said("anna", 1.35)
    other, macro = said("bert", 1.2), said("anna", 8.5)
    assert early(films, [inside, again, late, other, macro]) == (1 / 3, [late, other, macro])
    assert early(films, [said("bert", 5.1), inside]) == (2 / 3, [])
    assert early(films, []) == (0.0, [])


def test_an_alarm_lies_on_the_way_back_too_which_is_seen_later(films):
    alarms = [said("bert", 9.3), said("bert", 9.6), said("bert", 8.5)]
    assert [lying_on(films, [each], 0.0)["blink"] for each in alarms] == [0, 0, 0]
    assert [lying_on(films, [each], 0.35)["blink"] for each in alarms] == [1, 0, 0]


def test_the_surest_that_find_a_share_are_as_few_as_can_be(films):
    first, second, third = said("anna", 1.0, 9.0), said("bert", 2.0, 5.0), said("bert", 5.0, 1.0)
    false, doubtful = said("anna", 5.0, 7.0), said("anna", 20.0, 2.0)
    everything = [third, doubtful, second, false, first, said("anna", 8.0, 99.0, "macro")]
    assert surest(films, everything, 1 / 3) == [first]
    assert surest(films, everything, 0.5) == [first, false, second]
    assert surest(films, everything, 1.0) == [first, false, second, doubtful, third]
    assert surest(films, [first, second], 1.0) is None
    assert surest(films, [], 0.5) is None
