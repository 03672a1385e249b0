"""A stage is causal: cutting the input after t changes no output emitted up to t, bit for bit."""

from itertools import count

import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.align import Aligner
from realtime.apex import STILL, Detector
from realtime.decide import Machine
from realtime.encode import Encoder, Smoothed
from realtime.manifest import load
from realtime.motion import REGIONS
from realtime.people import Person
from realtime.quality import bounding_box
from realtime.recognise import Judges, Recogniser
from realtime.records import Box, Crop, Face, Frame, Motion, Pose, Quality
from realtime.score import Scorer
from realtime.spotted import Spotting
from realtime.track import Tracker
from realtime.window import Encoded

STAGES = config.load()
RATE = 60.0
CUTS = (1, 2, 37, 150, 299)
PICTURE, POINTS, MATRIX = np.zeros((4, 4, 3), np.uint8), np.zeros((1, 2), np.float32), np.eye(2, 3, dtype=np.float32)


def bits(value):
    """A value down to its last bit, to be compared with ==."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [bits(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return type(value).__name__, [bits(getattr(value, name)) for name in value.__dataclass_fields__]
    return value.hex() if isinstance(value, float) else value


def assert_causal(make, items, cuts=CUTS):
    """`make` gives a fresh stage as a function of one item; its outputs may not know how many items follow."""
    whole = emitted(make(), items)
    assert len({str(output) for output in whole}) > 1  # a stage that says nothing is causal and no test
    for cut in cuts:
        assert emitted(make(), items[:cut]) == whole[:cut]
    other = items[: CUTS[-1]] + items[:3][::-1]  # not the end but another future
    assert emitted(make(), other)[: CUTS[-1]] == whole[: CUTS[-1]]


def emitted(push, items):
    outputs = [(output, bits(output)) for output in map(push, items)]
    assert all(bits(output) == then for output, then in outputs)  # what was given away is not written to later
    return [then for _, then in outputs]


def wander(seed, size=300, step=1.0):
    """A path that stays near zero."""
    steps, path, value = np.random.default_rng(seed).normal(0, step, size), [], 0.0
    for change in steps:
        value = 0.97 * value + change
        path.append(value)
    return np.array(path)


def test_the_tracker(scripted_landmarker, drawn_face):
    right, down, there = wander(1, step=3), wander(2, step=3), np.random.default_rng(3).random((300, 2)) > 0.2
    script = [
        [drawn_face(80 + 160 * i + right[t], 110 + down[t]) for i in range(2) if there[t // 20, i]] for t in range(300)
    ]
    frames = list(scripted_landmarker(script).frames(RATE))

    def make():
        landmarker = scripted_landmarker(script)
        tracker = Tracker(STAGES.track, landmarker)

        def push(frame):
            landmarker.now = frame.index
            return tracker.push(frame)

        return push

    assert_causal(make, frames)


def test_the_aligner(drawn_face):
    rng, right = np.random.default_rng(4), wander(5, step=2)
    items = []
    for i in range(300):
        t = (i + 60 * (i > 100)) / RATE  # with a pause that makes it begin anew
        points = drawn_face(150 + right[i], 120) + rng.normal(0, 0.3, (468, 3)).astype(np.float32)
        image = rng.integers(0, 256, (240, 320, 3)).astype(np.uint8)
        face = Face(1, t, bounding_box(points), points, Pose(0.0, 0.0, 0.0), Quality(80.0, 50.0, 120.0, ()))
        items.append((Frame(image, t, i, gap=0, grabbed=0.0), face))
    assert_causal(lambda: Aligner(STAGES.align).push, items)


def motions(scores):
    rows = np.random.default_rng(6).random((len(scores), len(REGIONS))).astype(np.float32)
    return [Motion(i / RATE, 0.002 * rows[i] + 0.004 * abs(s), 0.001, 0.0, STILL) for i, s in enumerate(scores)]


def test_the_scorer():
    def make():
        scorer = Scorer(STAGES.apex)

        def push(motion):
            score = scorer.push(motion)
            if score < 2:
                scorer.rest(motion)
            return score, scorer.ready

        return push

    assert_causal(make, motions(np.maximum(wander(7, step=0.5), 0)))


def test_the_machine():
    scores = np.abs(wander(8, step=3.0))

    def make():
        machine = Machine(STAGES.apex, count(1))
        crop = [Crop(1, i / RATE, PICTURE, POINTS, MATRIX, Pose(0.0, 0.0, 0.0)) for i in range(len(scores))]
        return lambda item: machine.push(crop[item[0]], item[1], float(scores[item[0]]), 0.0)

    assert_causal(make, list(enumerate(motions(scores))))


def test_the_smoothed_expression():
    shares = np.random.default_rng(9).dirichlet(np.ones(8), 300).astype(np.float32)
    items = [
        Encoded(Crop(1, i / RATE, PICTURE, POINTS, MATRIX, Pose(0.0, 0.0, 0.0)), np.zeros(2, np.float32), shares[i])
        for i in range(300)
    ]
    assert_causal(lambda: Smoothed(STAGES.recognise).push, items)


def make_detector():
    detector = Detector(STAGES.apex, STAGES.motion, STAGES.align.size_px, count(1))
    return lambda crop: (detector.push(crop), detector.score, detector.field)


@pytest.fixture(scope="module")
def expressive_crops(sample_crops):
    """Six seconds of the sample with a blink and a micro-expression; cuts fall before, into and after both."""
    return [crop for crop in sample_crops if crop.t < 6.0]


class Echo:
    """An engine whose answer changes with every number that it is fed."""

    precision, backend = "f32", "none"

    def __init__(self, folder):
        self.manifest = load(folder)

    def run(self, inputs):
        [array] = inputs.values()
        parts = np.array_split(array.ravel(), len(self.manifest.labels))
        return {"logits": np.array([[part.mean() for part in parts]], np.float32)}


def test_the_answers_of_every_kind_of_engine(expressive_crops, packages):
    face = Face(1, 0.0, Box(0, 0, 1, 1), POINTS, Pose(0.0, 0.0, 0.0), Quality(80.0, 50.0, 120.0, ()))
    encoder = Encoder(Echo(packages / "encoder"))
    judges = [
        Recogniser(STAGES.recognise, encoder, Judges(tuple(Echo(packages / name) for name in names)))
        for names in (["head"], ["apex"], ["clips"], ["fields"], ["fields", "head"])
    ]

    def make():
        person = Person(STAGES, face, count(1))

        def push(crop):
            shares = np.full(8, 1 / 8, np.float32)
            moments = person.push(face, Encoded(crop, crop.image[:16, 0, 0].astype(np.float32), shares))
            return [person.answer(moment, judge, crop.t) for moment in moments for judge in judges]

        return push

    assert_causal(make, expressive_crops, cuts=(252,))


def test_the_detector(expressive_crops):
    assert_causal(make_detector, expressive_crops, cuts=(1, 2, 90, 136, 245, 252, 258, 300))


def test_the_spotter(leaky_spotter):
    rng, right, down = np.random.default_rng(10), wander(11, step=0.4), wander(12, step=0.4)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 1.5)
    items = []
    for i in range(300):
        t = (i + 60 * (i > 100)) / RATE  # with a pause that makes it begin anew
        moved = cv2.warpAffine(texture, np.float32([[1, 0, right[i]], [0, 1, down[i]]]), (64, 64))
        picture = np.where(np.arange(64)[:, None, None] < 24, moved, texture)  # only the brows move
        items.append(Crop(1, t, picture, POINTS, MATRIX, Pose(right[i], down[i], 0.0)))
    likely = msgspec.structs.replace(STAGES.spotter, open=0.6, close=0.5, early=0.6, micro=0.6, macro=0.6, fall=0.1)
    begun = []

    def make():
        spotting = Spotting(likely, 64, leaky_spotter(64), count(1))

        def push(crop):
            moments = spotting.push(crop)
            begun.extend(moments)
            return moments, spotting.score, spotting.field

        return push

    assert_causal(make, items, cuts=(2, 37, 150))
    assert len({type(moment) for moment in begun}) == 3  # onsets, apexes and offsets
