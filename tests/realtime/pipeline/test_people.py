from itertools import count

import numpy as np
import pytest

from realtime import config
from realtime.pipeline.people import Person
from realtime.recognition.window import Encoded
from realtime.records import Apex, Box, Crop, Face, Offset, Onset, Pose, Quality

SETTINGS = config.load()
ENGINE = object()  #: stands for the spotter


def face(t, id=1, reasons=()):
    quality = Quality(80.0, 100.0, 128.0, reasons)
    return Face(id, t, Box(0, 0, 9, 9), np.zeros((468, 3), np.float32), Pose(0, 0, 0), quality)


def seen(t, id=1, level=0.0):
    image = np.zeros((128, 128, 3), np.uint8)
    crop = Crop(id, t, image, np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32), Pose(0, 0, 0))
    return crop, Encoded(np.zeros(2, np.float32), np.array([level, 1.0 - level], np.float32))


class Scripted:
    """Stands for the detector: an event that begins with the second crop and is ended by `flush`."""

    score, field = 6.5, np.ones((2, 28, 28), np.float32)

    def __init__(self, config, crop_px, engine, ids):
        assert (config, crop_px, engine) == (SETTINGS.spotter, SETTINGS.align.size_px, ENGINE)
        self.ids, self.crops = ids, []

    def push(self, crop):
        self.crops.append(crop)
        if len(self.crops) != 2:
            return []
        self.event = next(self.ids)
        return [Onset(self.event, crop.face, 0.1), Apex(self.event, crop.face, 0.1, 0.2, "micro", 9.0)]

    def flush(self):
        return [Offset(self.event, self.crops[-1].face, 0.1, 0.2, self.crops[-1].t, "micro", 9.0, "")]


class Told:
    """Stands for the recogniser: gives back what it was asked."""

    def early(self, apex, window, now, quality):
        return ("early", apex.event, now, quality)

    def final(self, offset, window, now, quality):
        return ("final", offset.event, now, quality)


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr("realtime.pipeline.people.FaceSpotter", Scripted)


def test_presence_is_from_the_first_to_the_newest_frame(scripted):
    person = Person(SETTINGS, face(2.0), count(1), ENGINE)
    for t in (2.0, 2.1, 2.7):
        person.push(face(t), *seen(t))
    assert (person.presence.id, person.presence.first_s, person.presence.last_s) == (1, 2.0, 2.7)


def test_expression_is_smoothed_and_the_score_is_the_detectors(scripted):
    person = Person(SETTINGS, face(0.0), count(1), ENGINE)
    assert person.expression is None
    person.push(face(0.0), *seen(0.0, level=0.0))
    person.push(face(0.1), *seen(0.1, level=1.0))
    assert person.expression[0] == pytest.approx(1.0 - np.exp(-0.1 / SETTINGS.recognise.smooth_s), abs=1e-5)
    assert person.score == 6.5


def test_an_onset_alone_is_not_told_an_apex_early_an_offset_finally(scripted):
    person, told = Person(SETTINGS, face(0.0), count(1), ENGINE), Told()
    assert person.push(face(0.0), *seen(0.0)) == []
    onset, apex = person.push(face(0.1, reasons=("dark",)), *seen(0.1))
    assert person.answer(onset, told, 0.1) == []
    assert person.answer(apex, told, 0.1) == [("early", 1, 0.1, ("dark",))]
    (offset,) = person.leave()
    assert person.answer(offset, told, 1.2) == [("final", 1, 1.2, ("dark",))]  # said when the face was given up


def test_events_are_numbered_over_all_faces(scripted):
    ids = count(1)
    people = [Person(SETTINGS, face(0.0, id), ids, ENGINE) for id in (1, 2, 3)]
    moments = [
        moment
        for t in (0.0, 0.1)
        for person in people
        for moment in person.push(face(t, person.presence.id), *seen(t, person.presence.id))
    ]
    assert [(moment.face, moment.event) for moment in moments if isinstance(moment, Onset)] == [(1, 1), (2, 2), (3, 3)]


def test_a_face_that_leaves_at_rest_leaves_nothing(leaky_spotter):
    person = Person(SETTINGS, face(0.0), count(1), leaky_spotter(128))
    for number in range(40):
        assert person.push(face(number / 60), *seen(number / 60)) == []
    assert person.leave() == []
