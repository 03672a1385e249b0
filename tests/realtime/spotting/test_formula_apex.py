"""Apexes that the formula names: where they lie, what they are made of, and that nobody pays who does not ask."""

from itertools import count

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.faces import landmarks as lm
from realtime.records import Apex, Crop, Offset, Onset, Pose
from realtime.spotting import detector, formula_apex
from realtime.spotting.detector import FaceSpotter
from realtime.spotting.formula_apex import FormulaApex, RunningApex

SIDE, RATE = 64, 60.0
LEVELS = [0, 0, 0, 0, 0, 2, 6, 12, 18, 22, 24, 24, 24, 24, 22, 18, 12, 6, 2, 0, 0, 0, 0]
ONSET, REST, PEAK = 4, 20, 11  # of LEVELS: the last frame at rest, the first one again, the first that stays at the top


def points():
    found = np.full((lm.COUNT, 3), SIDE / 2, np.float32)
    for point, place in {lm.LEFT_MOUTH: (22, 49), lm.RIGHT_MOUTH: (42, 49), lm.CHIN: (32, 61)}.items():
        found[point, :2] = place
    return found


def crop(number, level, landmarks=None):
    """A flat face whose mouth brightens."""
    picture = np.full((SIDE, SIDE, 3), 100, np.uint8)
    picture[44:54, 12:52] += level
    seen = points() if landmarks is None else landmarks
    return Crop(7, number / RATE, picture, seen, np.eye(2, 3, dtype=np.float32), Pose(0.0, 0.0, 0.0))


@pytest.fixture
def film():
    return [crop(number, level) for number, level in enumerate(LEVELS)]


def told_of(film, *moments, until=np.inf):
    """What the formula says when the moments become known with the last of the frames."""
    formula = FormulaApex(0.1)
    for each in film:
        formula.push(each)
    return formula.told(moments, until)


def test_the_apex_is_the_frame_that_is_farthest_where_nothing_changes(film):
    onset, offset = Onset(1, 7, ONSET / RATE), Offset(1, 7, ONSET / RATE, 0.3, REST / RATE, "micro", 9.0, "")
    [_, found] = told_of(film, onset, offset)
    assert found == Offset(1, 7, ONSET / RATE, PEAK / RATE, REST / RATE, "micro", 9.0, "")


def test_the_running_scores_are_those_of_the_formula_with_the_onset_term_and_a_lag_of_one(film):
    running = RunningApex(film[ONSET])
    for each in film[ONSET + 1 :]:
        running.push(each)
    levels = np.array(LEVELS[ONSET:], float)
    brightest = (np.abs(levels[1:] - levels[0]) + 1) / (np.abs(np.diff(levels)) + 1)
    wanted = film[ONSET + 1 + int(brightest.argmax())].t
    assert running.apex(np.inf) == wanted
    assert running.apex(film[ONSET + 3].t) == film[ONSET + 1 + int(brightest[:3].argmax())].t
    assert running.apex(film[ONSET].t) is None


def test_nothing_behind_the_offset_or_the_moment_itself_is_the_apex(film):
    late = film + [crop(len(film) + number, 60) for number in range(4)]
    onset = Onset(1, 7, ONSET / RATE)
    [_, apex] = told_of(late, onset, Apex(1, 7, ONSET / RATE, 0.2, "micro", 9.0), until=15 / RATE)
    assert apex.t == PEAK / RATE
    [_, offset] = told_of(late, onset, Offset(1, 7, ONSET / RATE, 0.2, REST / RATE, "micro", 9.0, ""))
    assert offset.apex == PEAK / RATE


def test_an_event_that_opens_late_is_made_up_for_and_goes_on_frame_by_frame(film):
    formula, onset = FormulaApex(0.1), Onset(1, 7, ONSET / RATE)
    for number, each in enumerate(film):
        formula.push(each)
        if number == 8:
            formula.told([onset], np.inf)
    [found] = formula.told([Offset(1, 7, ONSET / RATE, 0.3, REST / RATE, None, 9.0, "unsure")], np.inf)
    assert found.apex == PEAK / RATE
    again = formula.told([Offset(1, 7, ONSET / RATE, 0.3, REST / RATE, None, 9.0, "unsure")], np.inf)
    assert again[0].apex == 0.3  # it is over: nobody remembers it


def test_where_the_face_is_not_in_the_crop_the_networks_apex_stays(film):
    outside = points()
    outside[lm.CHIN, :2] = (32, 300)
    away = [crop(number, level, outside) for number, level in enumerate(LEVELS)]
    offset = Offset(1, 7, ONSET / RATE, 0.123, REST / RATE, "micro", 9.0, "")
    assert told_of(away, Onset(1, 7, ONSET / RATE), offset)[1] == offset
    assert told_of([], Onset(1, 7, 0.0), offset)[1] == offset


def test_frames_long_before_any_event_are_not_kept(film):
    formula = FormulaApex(0.1)
    for number in range(200):
        formula.push(crop(number, 0))
    assert len(formula._kept) < 0.8 * RATE


def test_a_spotter_without_it_keeps_and_computes_nothing(monkeypatch, leaky_spotter):
    settings = config.load().spotter
    assert settings.apex == "network"
    monkeypatch.setattr(formula_apex, "RunningApex", lambda onset: pytest.fail("the formula was asked"))
    monkeypatch.setattr(detector, "FormulaApex", lambda delay_s: pytest.fail("the formula was made"))
    spotter = FaceSpotter(settings, SIDE, leaky_spotter(SIDE), count(1))
    for number, level in enumerate(LEVELS):
        spotter.push(crop(number, level))
    with pytest.raises(BaseException, match="the formula was made"):
        FaceSpotter(msgspec.structs.replace(settings, apex="formula"), SIDE, leaky_spotter(SIDE), count(1))
