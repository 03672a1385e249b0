from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from realtime.schema.message import Event
from train.chain import show
from train.chain.labels import OTHER, best, recognition, shared
from train.chain.outcome import EARLY, NOTHING, VERDICT, detections, outcome, plain
from train.chain.play import PlayedVideo, ToldEvent
from train.chain.reliability import reliability
from train.chain.truth import Distraction, Labelled, Video


def event(onset, apex, offset, label="surprise", stage="final", **changes):
    said = {
        "t": 0.0, "camera": "0", "id": 1, "face": 1, "kind": "micro", "stage": stage, "onset_s": onset, "apex_s": apex,
        "offset_s": offset, "emitted_s": offset if offset is not None else apex + 0.06, "label": label,
        "confidence": 0.8, "probabilities": {"head": {label: 0.7, "other": 0.3}}, "quality": (), "rate_hz": 60.0,
        "reason": "",
    } | changes  # fmt: skip
    return Event(**said)


def told(onset, apex, offset, label="surprise", **changes):
    early = event(onset, apex, None, label, "early", **changes)
    return ToldEvent((early, event(onset, apex, offset, label, **changes)))


def played(said, *, expressions=(), distractions=(), seconds=60.0, id="v", rate_hz=0.0):
    made = tuple(Labelled(id, kind, *moments, label) for kind, label, *moments in expressions)
    others = tuple(Distraction(id, *each) for each in distractions)
    return PlayedVideo(Video(id, Path(id), "", made, others), rate_hz, 60.0, seconds, tuple(said))


MICRO = ("micro", "surprise", 1.0, 1.2, 1.4)


def test_a_found_and_rightly_named_event_has_perfect_figures():
    found = outcome([played([told(1.0, 1.21, 1.4)], expressions=[MICRO])])
    micro = found.parts["micro"]
    assert (micro.f1, micro.f1_recognise, micro.strs) == (1.0, 1.0, 1.0)
    assert micro.spotting.apex_error_median_ms == pytest.approx(10.0)
    assert micro.spotting.after_onset.median_s == pytest.approx(0.27)  # the early answer, not the last
    assert micro.spotting.after_apex.p95_s == pytest.approx(0.07)
    assert set(micro.recognition) == {VERDICT, EARLY, "head"}
    assert micro.reliability.expected_error == pytest.approx(0.2)
    assert found.happened == {"micro": 1}
    assert (found.minutes, found.videos, found.seen_hz) == (1.0, 1, (60.0, 60.0))


def test_strs_is_the_product_of_both_f1():
    said = [told(1.0, 1.2, 1.4), told(3.0, 3.2, 3.4, "negative"), told(8.0, 8.2, 8.4)]
    shown = [MICRO, ("micro", "positive", 3.0, 3.2, 3.4), ("micro", "positive", 5.0, 5.2, 5.4)]
    micro = outcome([played(said, expressions=shown)]).parts["micro"]
    assert micro.f1 == pytest.approx(2 / 3)
    assert micro.f1_recognise == pytest.approx((1.0 + 0.0) / 2)  # surprise, positive
    assert micro.strs == pytest.approx(1 / 3)


def test_each_engine_alone_is_scored_on_the_events_that_were_found_beside_all_together():
    shares = {
        "motion": ({"surprise": 0.3, "positive": 0.2, "none": 0.5}, {"positive": 0.4, "surprise": 0.6}),
        "cmn": ({"surprise": 0.2, "positive": 0.8}, {"positive": 0.9, "surprise": 0.1}),
        "motion+cmn": ({"surprise": 0.4, "positive": 0.2, "none": 0.4}, {"positive": 0.8, "surprise": 0.2}),
    }
    first, second = ({name: both[i] for name, both in shares.items()} for i in (0, 1))
    said = [told(1.0, 1.2, 1.4, probabilities=first), told(3.0, 3.2, 3.4, "positive", probabilities=second)]
    row = outcome([played(said, expressions=[MICRO, ("micro", "positive", 3.0, 3.2, 3.4)])])
    found = row.parts["micro"].recognition
    assert list(found) == [VERDICT, EARLY, "motion", "cmn", "motion+cmn"]
    assert (found[VERDICT].uf1, found["motion+cmn"].uf1) == (1.0, 1.0)
    assert found["motion"].uf1 == pytest.approx((2 / 3 + 0) / 2)  # surprise both times: none is nothing to tell
    assert found["cmn"].uf1 == pytest.approx((0 + 2 / 3) / 2)
    assert (found["motion"].uar, found["cmn"].uar) == (0.5, 0.5)
    assert "| micro | cmn | 2 | 0.333 | 0.500 | 0.500 | positive 1, surprise 1 |" in "\n".join(show.lines([row]))
    [plainly] = plain([row])
    assert plainly["parts"]["micro"]["recognition"]["motion"]["uar"] == 0.5


def test_false_alarms_lie_under_what_shares_most_of_their_time():
    said = [told(at, at + 0.1, at + 0.3) for at in (2.0, 4.0, 6.0, 8.0)]
    under = [("blink", 2.0, 2.1), ("speech", 2.1, 3.0), ("gaze", 4.2, 9.0), ("turn", 0.0, 0.5)]
    found = outcome([played(said, expressions=[MICRO, ("macro", "", 5.0, 6.0, 7.0)], distractions=under)])
    assert found.parts["micro"].under == {"gaze": 2, "speech": 1, "macro": 1}
    assert found.parts["micro"].spotting.false_per_minute == 4.0
    assert outcome([played(said)]).parts["micro"].under == {NOTHING: 4}


def test_what_was_withdrawn_is_no_detection_but_is_told_as_taken_back():
    gone = ToldEvent((event(1.0, 1.2, None, stage="early"), event(1.0, 1.2, 1.4, stage="withdrawn")))
    grown = ToldEvent((event(3.0, 3.2, None, stage="early"), event(3.0, 3.2, 5.0, kind="macro")))
    late = ToldEvent((event(6.0, 6.2, 6.4, stage="withdrawn"),))
    one = played([gone, grown, late])
    assert [found.kind for found in detections(one)] == ["macro"]
    assert detections(one)[0].emitted_s == 5.0  # nobody had called it macro before
    assert outcome([one]).taken_back_per_minute == 2.0


def test_counts_are_pooled_over_videos_with_and_without_events():
    videos = [
        played([told(1.0, 1.2, 1.4)], expressions=[MICRO]),
        played([told(1.0, 1.2, 1.4)], id="w", seconds=180.0),
    ]
    found = outcome(videos)
    assert (found.minutes, found.parts["micro"].spotting.false_per_minute) == (4.0, 0.25)
    assert found.parts["micro"].f1 == pytest.approx(2 / 3)


def test_no_event_and_no_label_have_no_recognition():
    empty = outcome([played([])])
    assert all((part.strs, part.reliability, part.recognition) == (None, None, {}) for part in empty.parts.values())
    unnamed = outcome([played([told(1.0, 1.2, 1.4)], expressions=[("micro", "", 1.0, 1.2, 1.4)])]).parts["micro"]
    assert (unnamed.f1, unnamed.strs) == (1.0, None)
    assert unnamed.reliability.bins[0].right == 1.0  # found is all that can be right


def test_labels_of_two_vocabularies_meet_in_the_coarse_one():
    classes = shared({"negative", "positive"}, {"happiness", "disgust", "neutral", "surprise"})
    assert classes["happiness"] == "positive"
    assert classes["disgust"] == "negative"
    assert {classes["neutral"], classes["surprise"]} == {OTHER}  # nobody showed surprise
    assert best({"disgust": 0.3, "anger": 0.3, "happiness": 0.4}, dict(classes, anger="negative")) == "negative"
    assert shared({"Disgusted", "surprise"}, {"negative", "surprise"})["Disgusted"] == "negative"
    assert shared({"disgust", "anger"}, {"disgust", "fear"}) == {"disgust": "disgust", "anger": "anger", "fear": OTHER}


def test_recognition_is_what_scikit_learn_counts():
    rng = np.random.default_rng(3)
    labels = ["negative", "positive", "surprise"]
    truth = [labels[i] for i in rng.integers(0, 3, 60)]
    said = [
        {label: float(share) for label, share in zip([*labels, "none"], row, strict=True)}
        for row in rng.random((60, 4))
    ]
    told = [max(row, key=row.get) for row in said]
    found = recognition(truth, said)
    assert found.uf1 == pytest.approx(f1_score(truth, told, labels=labels, average="macro"))
    assert found.uar == pytest.approx(recall_score(truth, told, labels=labels, average="macro"))
    assert found.accuracy == pytest.approx(np.mean([a == b for a, b in zip(truth, told, strict=True)]))
    assert sum(found.counts.values()) == found.events == 60
    assert recognition([], []) is None


def test_reliability_by_hand():
    found = reliability([0.05, 0.95, 1.0, 0.91, 0.0], [False, True, True, False, True])
    low, high = found.bins
    assert (low.answers, low.confidence, low.right) == (2, pytest.approx(0.025), 0.5)
    assert (high.low, high.answers, high.right) == (0.9, 3, pytest.approx(2 / 3))
    assert found.expected_error == pytest.approx((2 * 0.475 + 3 * (2.86 / 3 - 2 / 3)) / 5)
    assert reliability([], []) is None


def test_the_text_shows_every_rate_and_kind():
    one = played([told(1.0, 1.21, 1.4)], expressions=[MICRO], distractions=[("blink", 7.0, 7.2)])
    rows = [outcome([one]), outcome([replace(one, rate_hz=30.0)])]
    text = "\n".join(show.lines(rows))
    assert "| own, 60 | micro | 1 | 1.0 | 1 | 1 | 0 | 1.000 | 10 | 270 / 270 | 70 / 70 | 0.00 |" in text
    assert "| 30 | macro |" in text
    assert "| micro | verdict | 1 | 1.000 | 1.000 | 1.000 | surprise 1 |" in text
    assert "| 0.8 to 0.9 | 1 | 0.800 | 1.000 |" in text
    assert plain(rows)[1]["rate_hz"] == 30.0
    assert "no micro-expression was told" in "\n".join(show.lines([outcome([played([])])]))
