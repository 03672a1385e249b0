from itertools import count

import numpy as np
import pytest

from realtime import config
from realtime.pipeline.people import Person
from realtime.recognition.window import Encoded
from realtime.records import Apex, Box, Crop, Face, Offset, Onset, Pose, Quality
from realtime.spotting.detector import FaceSpotter

SETTINGS = config.load()


def face(t, id=1, reasons=()):
    quality = Quality(80.0, 100.0, 128.0, reasons)
    return Face(id, t, Box(0, 0, 9, 9), np.zeros((468, 3), np.float32), Pose(0, 0, 0), quality)


def seen(t, id=1, level=0.0):
    image = np.zeros((128, 128, 3), np.uint8)
    crop = Crop(id, t, image, np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32), Pose(0, 0, 0))
    return crop, Encoded(np.zeros(2, np.float32), np.array([level, 1.0 - level], np.float32))


class Scripted:
    """Stands for the spotter of a face: an event that begins with the second crop and is ended by `flush`."""

    score, field = 6.5, np.ones((2, 28, 28), np.float32)

    def __init__(self):
        self.crops = []

    def push(self, crop):
        self.crops.append(crop)
        if len(self.crops) != 2:
            return []
        return [Onset(1, crop.face, 0.1), Apex(1, crop.face, 0.1, 0.2, "micro", 9.0)]

    def flush(self):
        return [Offset(1, self.crops[-1].face, 0.1, 0.2, self.crops[-1].t, "micro", 9.0, "")]


class Told:
    """Stands for the recogniser: gives back what it was asked."""

    def early(self, apex, window, now, quality):
        return ("early", apex.event, now, quality)

    def final(self, offset, window, now, quality):
        return ("final", offset.event, now, quality)


def test_presence_is_from_the_first_to_the_newest_frame():
    person = Person(SETTINGS, face(2.0), Scripted())
    for t in (2.0, 2.1, 2.7):
        person.push(face(t), *seen(t))
    assert (person.presence.id, person.presence.first_s, person.presence.last_s) == (1, 2.0, 2.7)


def test_expression_is_smoothed_and_the_score_is_the_detectors():
    person = Person(SETTINGS, face(0.0), Scripted())
    assert person.expression is None
    person.push(face(0.0), *seen(0.0, level=0.0))
    person.push(face(0.1), *seen(0.1, level=1.0))
    assert person.expression[0] == pytest.approx(1.0 - np.exp(-0.1 / SETTINGS.recognise.smooth_s), abs=1e-5)
    assert person.score == 6.5


def test_an_onset_alone_is_not_told_an_apex_early_an_offset_finally():
    person, told = Person(SETTINGS, face(0.0), Scripted()), Told()
    assert person.push(face(0.0), *seen(0.0)) == []
    onset, apex = person.push(face(0.1, reasons=("dark",)), *seen(0.1))
    assert person.answer(onset, told, 0.1) == []
    assert person.answer(apex, told, 0.1) == [("early", 1, 0.1, ("dark",))]
    (offset,) = person.leave()
    assert person.answer(offset, told, 1.2) == [("final", 1, 1.2, ("dark",))]  # said when the face was given up


def test_a_face_that_leaves_at_rest_leaves_nothing(leaky_spotter):
    spotter = FaceSpotter(SETTINGS.spotter, SETTINGS.align.size_px, leaky_spotter(128), count(1))
    person = Person(SETTINGS, face(0.0), spotter)
    for number in range(40):
        assert person.push(face(number / 60), *seen(number / 60)) == []
    assert person.leave() == []
