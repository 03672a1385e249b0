import logging
from dataclasses import replace

import pytest

from realtime.faces import landmarks as lm
from realtime.records import Apex, Offset, Onset
from train.clips.detector_trace import DetectorTrace
from train.clips.stored import StoredClip, store
from train.methods.apexnet import apex_frames
from train.methods.apexnet.apex_formula import find_apex
from train.methods.apexnet.apex_frames import choose
from train.methods.apexnet.config import Quang

QUANG = Quang(lag_frames=3, terms="both")
#: Of a crop of 48 px; the mouth is 16 px wide.
POINTS = {
    lm.LEFT_MOUTH: (16, 37),
    lm.RIGHT_MOUTH: (32, 37),
    lm.CHIN: (24, 46),
    lm.LEFT_NOSE_WING: (20, 28),
    lm.RIGHT_NOSE_WING: (28, 28),
    lm.LEFT_EYE_OUTER: (11, 19),
    lm.RIGHT_EYE_OUTER: (37, 19),
    lm.LEFT_BROW[2]: (17, 13),
    lm.RIGHT_BROW[2]: (31, 13),
}


@pytest.fixture
def clips(drawn, landmarks, tmp_path):
    for point, place in POINTS.items():
        landmarks[point] = place

    return store(drawn(people=1), tmp_path)


def test_an_annotated_apex_is_the_coders_moment(clips):
    moved = [
        replace(clip, sample=replace(clip.sample, apex_s=t)) for clip, t in zip(clips, (0.047, 0.1, 0.2), strict=True)
    ]
    assert choose(moved, "annotation", QUANG) == [0.047, 0.1, 0.2]


def test_the_formula_looks_from_onset_to_offset(clips):
    for clip, apex_s in zip(clips, choose(clips, "quang", QUANG), strict=True):
        crops = clip.served()[2:11]
        wanted = find_apex([crop.image for crop in crops], crops[0].landmarks, 3, "both")
        assert apex_s == clip.times()[2 + wanted]


def test_the_formula_is_asked_once_for_each_clip_moments_and_settings(clips, monkeypatch):
    asked = []
    monkeypatch.setattr(apex_frames, "by_formula", lambda clip, quang: asked.append(clip.case.id) or 3)
    assert choose(clips[:2], "quang", QUANG) == [0.06, 0.06]
    assert choose(clips, "quang", QUANG) == [0.06] * 3
    assert asked == [clip.case.id for clip in clips]
    choose(clips, "quang", Quang(lag_frames=1, terms="onset"))
    choose([replace(clips[0], sample=replace(clips[0].sample, onset_s=0.02))], "quang", QUANG)
    assert asked[3:] == [clip.case.id for clip in (*clips, clips[0])]


def test_where_the_detector_finds_nothing_the_middle_is_taken_and_counted(clips, caplog, monkeypatch):
    monkeypatch.setattr(StoredClip, "trace", lambda clip: DetectorTrace((), (), (), ()))
    with caplog.at_level(logging.WARNING):
        found = choose(clips, "detector", QUANG)
    assert found == [0.12] * 3
    assert "no apex in 3 of 3 clips" in caplog.text


@pytest.mark.parametrize(
    ("moments", "frame"),
    [
        ([Onset(1, 1, 0.04), Apex(1, 1, 0.04, 0.1, "micro", 5.0), Offset(1, 1, 0.04, 0.1, 0.2, "micro", 5.0, "")], 5),
        ([Offset(1, 1, 0.04, 0.1, 0.2, None, 5.0, "lost")], 5),
        ([Apex(1, 1, 0.04, 0.1, "micro", 5.0), Apex(2, 1, 0.12, 0.16, "micro", 9.0)], 8),
        ([Apex(1, 1, 0.04, 0.1, "micro", 9.0), Offset(1, 1, 0.04, 0.1, 0.2, None, 9.0, "unsure")], None),
        ([Onset(1, 1, 0.04)], None),
    ],
    ids=["announced", "cut off by the clip's end", "the stronger of two", "taken back", "never sure"],
)
def test_the_detectors_last_word_on_each_event_counts(clips, monkeypatch, moments, frame):
    said = [tuple((0.2, moment) for moment in moments if isinstance(moment, kind)) for kind in (Onset, Apex, Offset)]
    monkeypatch.setattr(StoredClip, "trace", lambda clip: DetectorTrace((), *said))
    assert apex_frames.detected(clips[0]) == frame
