from dataclasses import replace
from itertools import count

import msgspec
import numpy as np
import pytest

from realtime import config, truth
from realtime.apex import Detector, Reference
from realtime.records import Apex, Offset, Onset, Pose

STRAIGHT = Pose(0.0, 0.0, 0.0)
FRAME_S = 1 / 60


def picture(level):
    return np.full((4, 4), level, np.uint8)


@pytest.fixture
def reference():
    """Calm at 0.0, 0.1 ... 0.9 s, each picture as grey as its number; 0.3 s old enough."""
    made = Reference(msgspec.structs.replace(config.load().motion, lag_s=0.299, refresh_s=0.099))
    for i in range(10):
        made.offer(i / 10, picture(i), STRAIGHT)
    return made


def level(reference, t):
    found = reference.at(t)
    return None if found is None else int(found[0][0, 0])


@pytest.mark.parametrize(("t", "newest"), [(0.3, 0), (0.35, 0), (0.4, 1), (0.95, 6), (5.0, 9)])
def test_the_reference_is_the_newest_that_lies_before_an_onset(reference, t, newest):
    assert level(reference, t) == newest


def test_before_any_is_old_enough_the_oldest_serves(reference):
    assert level(reference, 0.0) == 0
    assert level(Reference(config.load().motion), 0.0) is None


def test_the_reference_moves_on_no_faster_than_it_is_refreshed(reference):
    reference.offer(0.95, picture(99), STRAIGHT)
    assert level(reference, 9.0) == 9


def test_what_came_after_an_onset_is_no_reference(reference):
    reference.forget_after(0.45)
    assert level(reference, 9.0) == 4


def test_something_older_always_stays(reference):
    reference.forget_after(-1.0)
    assert level(reference, 9.0) == 0


def test_a_new_resting_face_begins_with_no_reference(reference):
    reference.restart()
    assert reference.at(9.0) is None


def detector():
    stages = config.load()
    return Detector(stages.apex, stages.motion, stages.align.size_px, count(1))


def told_by(crops):
    """(time of emission, moment) of a fresh detector, its flush included."""
    made = detector()
    told = [(crop.t, moment) for crop in crops for moment in made.push(crop)]
    return told + [(crops[-1].t, moment) for moment in made.flush()]


@pytest.fixture(scope="module")
def told(sample_crops):
    return told_by(sample_crops)


@pytest.fixture(scope="module")
def script():
    return truth.load().events


def ended(told, kind):
    return [moment for _, moment in told if isinstance(moment, Offset) and moment.kind == kind]


def overlap(offset, scripted):
    return offset.onset < scripted.offset and offset.t > scripted.onset


def test_every_micro_expression_of_the_sample_is_found_at_its_apex(told, script):
    micro = [scripted for scripted in script if scripted.role == "micro"]
    assert len(micro) >= 5
    for scripted in micro:
        found = [offset for offset in ended(told, "micro") if overlap(offset, scripted)]
        assert [offset.apex for offset in found] == [pytest.approx(scripted.apex, abs=0.05)]


def test_no_micro_expression_of_the_sample_is_made_up(told, script):
    assert len(ended(told, "micro")) == sum(scripted.role == "micro" for scripted in script)


def test_blinks_and_the_smile_are_never_micro_expressions(told, script):
    others = [scripted for scripted in script if scripted.role != "micro"]
    assert {scripted.role for scripted in others} == {"blink", "macro"}
    assert not [offset for offset in ended(told, "micro") for scripted in others if overlap(offset, scripted)]


def test_the_smile_is_a_macro_expression(told, script):
    [smile] = [scripted for scripted in script if scripted.role == "macro"]
    [found] = ended(told, "macro")
    assert smile.onset - 0.1 < found.onset < smile.apex
    assert smile.apex < found.t < smile.offset + 0.1


def test_onset_apex_and_offset_of_an_event_come_in_order(told):
    by_event = {}
    for _, moment in told:
        by_event.setdefault(moment.event, []).append(type(moment))
    assert set(map(tuple, by_event.values())) == {(Onset, Apex, Offset)}


def test_the_apex_of_a_micro_expression_is_told_within_the_delay(told):
    late = [emitted - moment.t for emitted, moment in told if isinstance(moment, Apex)]
    assert min(late) > 0
    micro = {offset.event for offset in ended(told, "micro")}
    assert max(t - m.t for t, m in told if isinstance(m, Apex) and m.event in micro) <= detector().delay_s


def test_a_picture_that_stands_still_holds_no_event(sample_crops):
    assert told_by([replace(sample_crops[60], t=i * FRAME_S) for i in range(240)]) == []


def test_a_face_that_rests_elsewhere_is_one_event_and_then_at_rest(sample_crops, script):
    [smile] = [scripted for scripted in script if scripted.role == "macro"]
    neutral = [crop for crop in sample_crops if 0 < crop.t < 2]
    smiling = next(crop for crop in sample_crops if crop.t > smile.apex + 0.5)
    stays = [replace(smiling, t=2 + i * FRAME_S) for i in range(round(9 / FRAME_S))]
    told = told_by(neutral + stays)
    assert [(offset.kind, offset.reason) for _, offset in told if isinstance(offset, Offset)] == [("macro", "held")]


def test_a_stream_that_ends_inside_an_event_ends_it(sample_crops, script):
    [smile] = [scripted for scripted in script if scripted.role == "macro"]
    cut = [crop for crop in sample_crops if smile.onset - 4 < crop.t < smile.apex + 0.3]
    told = told_by(cut)
    assert isinstance(told[-1][1], Offset)
    assert told[-1][1].kind == "macro"
    assert told[-1][1].t == cut[-1].t


def test_nothing_is_told_before_rest_is_known(sample_crops, script):
    first = next(scripted for scripted in script if scripted.role == "micro")
    begin = first.onset - 0.5 * config.load().apex.warmup_s
    assert told_by([crop for crop in sample_crops if begin < crop.t < first.offset]) == []


def test_the_score_is_of_the_newest_frame(sample_crops, script):
    made, first = detector(), next(scripted for scripted in script if scripted.role == "micro")
    scores = {}
    for crop in sample_crops[: round((first.offset + 0.2) / FRAME_S)]:
        made.push(crop)
        scores[crop.t] = made.score
    assert first.onset < max(scores, key=scores.__getitem__) < first.offset


def test_a_calibrated_face_tells_nothing_and_then_what_differs_from_it(sample_crops, told):
    """Calibrated in the middle of the first event: that ends there, and later ones are found as before."""
    emitted, onset = next((emitted, moment) for emitted, moment in told if isinstance(moment, Onset))
    stages, made, found = config.load(), detector(), []
    asked = next(crop.t for crop in sample_crops if crop.t > emitted)
    for crop in sample_crops:
        if crop.t == asked:
            made.calibrate()
        found += [(crop.t, moment) for moment in made.push(crop)]
    during = [moment for t, moment in found if asked <= t <= asked + stages.apex.calibrate_s]
    assert [(type(moment), moment.event) for moment in during] == [(Offset, onset.event)]
    assert during[0].kind is None
    assert during[0].reason == "lost"

    def after(moments):
        until = asked + stages.apex.calibrate_s + 1.0
        return [moment.t for _, moment in moments if isinstance(moment, Apex) and moment.onset > until]

    assert len(after(found)) == len(after(told)) >= 3
    assert after(found) == pytest.approx(after(told), abs=0.05)


def test_what_was_seen_before_a_new_reference_is_not_seen_again(sample_crops):
    made = detector()
    for crop in sample_crops[:30]:
        made.push(crop)
    assert made.seen is not None
    made.calibrate()
    made.push(sample_crops[30])  # which is the reference now, and there is nothing to compare it with
    assert made.seen is None
    assert not made.field.any()
    made.push(sample_crops[31])
    assert made.seen is not None
