import pytest

from realtime import config
from realtime.schema.message import Event
from train.chain.labels import OTHER
from train.chain.play import ToldEvent
from train.chain.real import show
from train.chain.real.answers import answers
from train.chain.real.background import background
from train.chain.real.outcome import coarse, figures, outcomes
from train.chain.real.play import PlayedStretch
from train.datasets.marked.marks import Mark
from train.datasets.marked.playing import Playing

OWN = Playing(1.0, 1.0)
SMILE = Mark(2.0, 2.2, 2.5, 3.0, "positive", "happiness")
FROWN = Mark(4.0, 4.1, 4.2, 4.4, "negative", "anger")
BROWS = Mark(6.0, 6.2, 6.4, 6.8, "surprise", "surprise")
WINK = Mark(8.0, 8.1, 8.2, 8.3, "others", "wink")
UNSURE = Mark(10.0, 11.0, 11.0, 12.0, "unsure", "")


def event(onset, apex, offset, label, kind="micro", stage="final"):
    return Event(
        t=0.0, camera="0", id=1, face=1, kind=kind, stage=stage, onset_s=onset, apex_s=apex, offset_s=offset,
        emitted_s=apex, label=label, confidence=0.8, probabilities={}, quality=(), rate_hz=30.0, reason="",
    )  # fmt: skip


def told(onset, apex, offset, label="positive", kind="micro", stage="final", *, early="micro"):
    last = event(onset, apex, offset, label, kind, stage)
    return ToldEvent((event(onset, apex, None, label, early, "early"), last) if early else (last,))


def played(said, marks=(SMILE, FROWN, BROWS, WINK, UNSURE), *, playing=OWN, lead_s=0.0, seconds=60.0, clip="a.mp4"):
    return PlayedStretch(clip, playing, tuple(marks), lead_s, seconds, tuple(said))


def scored(said, **changes):
    found = outcomes([played(said, **changes)])
    (row,) = figures(found, config.load().spotter, others=False)
    return row


def test_what_is_told_of_each_expression_is_counted():
    said = [
        told(1.9, 2.6, 2.9, "happiness", "macro"),
        told(4.0, 4.15, 4.4, "surprise"),
        told(6.0, 6.3, 6.6, "surprise", stage="withdrawn"),
    ]
    row = scored(said)
    assert (row.marks, row.short, row.told, row.micro, row.taken_back) == (3, 1, 2, 1, 1)
    assert (row.named, row.uar) == (1, 0.5)
    assert row.confusion == {
        "negative": {"negative": 0, "positive": 0, "surprise": 1, OTHER: 0},
        "positive": {"negative": 0, "positive": 1, "surprise": 0, OTHER: 0},
    }
    assert (row.fine, row.fine_right) == (2, 1)
    assert row.apex_error_ms == pytest.approx(50.0)  # 100 ms after the height of the smile, and none


def test_faster_playing_makes_expressions_short():
    marks = [Mark(1.0, 1.1, 1.2, 1.4, "positive", "happiness"), Mark(2.0, 2.3, 2.4, 2.6, "surprise", "surprise")]
    row = scored([], marks=marks, playing=Playing(4.0, 1.0))
    assert (row.speed, row.strength, row.short, row.told, row.uar, row.apex_error_ms) == (4.0, 1.0, 1, 0, None, None)


def test_an_apex_outside_of_an_expression_tells_nothing_of_it():
    assert scored([told(1.5, 1.89, 2.5)]).told == 0
    assert scored([told(1.5, 1.91, 2.5)]).told == 1  # the slack
    assert scored([told(1.5, 3.2, 3.5)]).told == 0


def test_of_several_events_the_nearest_that_stayed_tells_an_expression():
    said = [
        told(2.0, 2.3, 2.4, "anger", stage="withdrawn"),
        told(2.4, 2.8, 3.0, "fear"),
        told(2.0, 2.6, 2.7, "happiness"),
    ]
    (smile, *_) = outcomes([played(said)])
    assert (smile.event.label, smile.taken_back) == ("happiness", False)
    assert smile.apex_error_s == pytest.approx(0.1)


def test_an_event_between_two_expressions_tells_the_nearer_one():
    marks = [Mark(1.0, 1.1, 1.2, 1.5, "positive", "happiness"), Mark(1.5, 1.6, 1.7, 2.0, "negative", "sadness")]
    first, second = outcomes([played([told(1.2, 1.56, 1.9, "sadness")], marks)])
    assert first.event is None
    assert second.event.label == "sadness"


def test_what_was_withdrawn_but_never_told_is_not_taken_back():
    assert scored([told(2.0, 2.3, 2.6, stage="withdrawn", early="")]).taken_back == 0
    assert scored([told(2.0, 2.3, 2.6, stage="withdrawn")]).taken_back == 1


def test_neutral_is_no_name_and_is_counted():
    row = scored([told(2.0, 2.3, 2.6, "neutral", "macro")])
    assert (row.told, row.named, row.neutral, row.uar) == (1, 0, 1, 0.0)
    assert row.confusion["positive"][OTHER] == 1


def test_movements_of_other_classes_are_told_apart_from_those_with_a_name():
    found = outcomes([played([told(8.0, 8.15, 8.3)])])
    (others,) = figures(found, config.load().spotter, others=True)
    (named,) = figures(found, config.load().spotter, others=False)
    assert (others.marks, others.told, named.marks, named.told) == (1, 1, 3, 0)


def test_false_alarms_are_those_that_touch_nothing_marked():
    said = [
        told(20.0, 20.1, 20.3), told(30.0, 30.5, 31.5, kind="macro"), told(40.0, 40.1, 40.3, stage="withdrawn"),
        told(10.5, 11.0, 11.2), told(3.1, 3.15, 3.4), told(2.0, 2.3, 2.6, "neutral"),
    ]  # fmt: skip
    around = background([played(said, seconds=70.0)])
    marked = 1.4 + 0.8 + 1.2 + 0.7 + 2.4
    assert around.minutes == pytest.approx((70.0 - marked) / 60)
    assert around.micro_per_minute == pytest.approx(1 / around.minutes)
    assert around.macro_per_minute == pytest.approx(1 / around.minutes)
    assert around.taken_back_per_minute == pytest.approx(2 / around.minutes)  # withdrawn, or grown to a macro
    assert (around.neutral, around.events) == (1, 5)
    assert [alarm.onset_s for alarm in around.alarms] == [20.0, 30.0]


def test_a_mirrored_beginning_is_no_background_and_alarms_are_told_on_the_clips_clock():
    around = background([played([told(0.2, 0.3, 0.4), told(20.0, 20.1, 20.3)], [], lead_s=1.0, seconds=61.0)])
    assert around.minutes == pytest.approx(1.0)
    assert [alarm.onset_s for alarm in around.alarms] == [19.0]


def test_there_is_no_background_in_what_is_played_faster_or_weaker():
    said = [told(20.0, 20.1, 20.3)]
    assert background([played(said, playing=Playing(4.0, 1.0)), played(said, playing=Playing(1.0, 0.3))]) is None
    assert background([played([], [], seconds=30.0, clip=name) for name in "ab"]).minutes == 1.0


@pytest.mark.parametrize(
    ("label", "class_"),
    [("happiness", "positive"), ("Contempt", "negative"), ("repression", "negative"), ("surprise", "surprise"),
     ("negative", "negative"), ("neutral", OTHER), ("none", OTHER)],
)  # fmt: skip
def test_labels_have_a_class(label, class_):
    assert coarse(label) == class_


def test_the_text_has_a_row_for_each_way_of_playing():
    said = [told(2.0, 2.3, 2.6, "happiness", "macro"), told(20.0, 20.1, 20.3)]
    stretches = [played(said, seconds=66.5), played([], playing=Playing(4.0, 1 / 3))]
    found, spotter = outcomes(stretches), config.load().spotter
    named, others = (figures(found, spotter, others=rest) for rest in (False, True))
    text = "\n".join(show.lines(named, others, background(stretches)))
    assert "| 1 | 1 | 3 | 1 | 1 of 3 (33%) | 0 of 3 (0%) | 1 of 3 (33%) | 0 of 3 (0%) | 1 of 1 (100%) | 1.00 |" in text
    assert "| 4 | 0.33 | 3 | 1 | 0 of 3 (0%) |" in text
    assert "| 1.00 | 1.00 | 0.00 | 0.00 | 0 of 2 events |" in text
    assert "false in a.mp4 1" in text


FASTER = Mark(1.0, 1.1, 1.25, 1.5, "positive", "happiness")  # SMILE, twice as fast


def test_answers_are_right_by_their_class_and_wrong_where_nothing_is_marked():
    said = [
        told(2.0, 2.3, 2.9, "happiness", "macro"),
        told(4.0, 4.15, 4.4, "surprise"),
        told(8.0, 8.15, 8.3, "positive"),
        told(11.0, 11.3, 11.6, "positive"),
        told(20.0, 20.1, 20.3, "negative"),
    ]
    stretch = played(said)
    found = list(answers(outcomes([stretch]), background([stretch])))
    assert [(each.kind, each.right) for each in found] == [("macro", True), ("micro", False), ("micro", False)]
    assert {each.confidence for each in found} == {0.8}
    faster = played([told(1.0, 1.15, 1.4, "happiness")], [FASTER], playing=Playing(2.0, 1.0))
    weighed = [each.weight for each in answers(outcomes([stretch, faster]), background([stretch]))]
    assert weighed == [0.5, 0.5, 0.5, 1.0]  # an expression that is played twice counts once, like what is false
