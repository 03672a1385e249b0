import itertools

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.recognition import heads
from realtime.records import Apex, Crop, Offset, Onset, Pose
from realtime.spotting.detector import FaceSpotter
from train.clips import detector_trace
from train.clips.detector_trace import DetectorTrace, trace

STAGES = config.load()
ENGINE = object()  #: stands for the spotter


@pytest.fixture(scope="module")
def spotter():
    return heads.spotter(STAGES)


def crops(count):
    face = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32), Pose(0.0, 0.0, 0.0)
    return [Crop(1, i / 10, np.full((64, 64, 3), i, np.uint8), *face) for i in range(count)]


class Scripted:
    """Tells an onset and an apex with the fourth frame, and an offset at the end."""

    def __init__(self, config, crop_px, engine, ids):
        assert (config, crop_px, engine) == (STAGES.spotter, 64, ENGINE)
        self.event, self.score, self.rested = next(ids), 0.0, False

    def rest(self, crop):
        self.rested = crop.t == 0.0

    def push(self, crop):
        assert self.rested
        self.score = round(crop.t * 10, 3)
        return [Onset(self.event, 1, 0.1), Apex(self.event, 1, 0.1, 0.2, "micro", 5.0)] if crop.t == 0.3 else []

    def finish(self):
        return [Offset(self.event, 1, 0.1, 0.2, 0.3, None, 5.0, "lost")]


def test_every_frame_has_its_score_and_every_moment_the_time_when_it_was_told(monkeypatch):
    monkeypatch.setattr(detector_trace, "FaceSpotter", Scripted)
    found = trace(crops(6), STAGES.spotter, ENGINE)
    assert found.scores == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    assert found.onsets == ((0.3, Onset(1, 1, 0.1)),)
    assert found.apexes == ((0.3, Apex(1, 1, 0.1, 0.2, "micro", 5.0)),)
    assert found.offsets == ((0.5, Offset(1, 1, 0.1, 0.2, 0.3, None, 5.0, "lost")),)


def test_it_is_what_the_live_detector_says(sample_crops, spotter):
    detector = FaceSpotter(STAGES.spotter, STAGES.align.size_px, spotter, itertools.count(1))
    detector.rest(sample_crops[0])
    moments, scores = [], []
    for crop in sample_crops[:300]:
        moments += detector.push(crop)
        scores.append(detector.score)
    moments += detector.finish()
    found = trace(sample_crops[:300], STAGES.spotter, spotter)
    assert found.scores == tuple(scores)
    assert {m for _, m in (*found.onsets, *found.apexes, *found.offsets)} == set(moments)
    assert found.apexes
    assert all(moment.t <= told_at <= sample_crops[299].t for told_at, moment in found.apexes)


def test_it_is_kept_without_loss(sample_crops, spotter):
    found = trace(sample_crops[:300], STAGES.spotter, spotter)
    assert msgspec.json.decode(msgspec.json.encode(found), type=DetectorTrace) == found


def test_nothing_is_said_of_nothing():
    assert trace([], STAGES.spotter, ENGINE) == DetectorTrace((), (), (), ())
