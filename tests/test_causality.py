"""A stage is causal: cutting the input after t changes no output emitted up to t, bit for bit."""

from dataclasses import replace
from itertools import count

import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.engine.package.manifest import load
from realtime.faces import landmarks as lm
from realtime.faces.align import Aligner
from realtime.faces.quality import bounding_box
from realtime.faces.track import Tracker
from realtime.pace import Pace
from realtime.pipeline.budget import ENCODER_HZ
from realtime.pipeline.people import Person
from realtime.recognition.encode import EARLY, Encoder, Smoothed
from realtime.recognition.heads import spotter
from realtime.recognition.recognise import Judges, Recogniser
from realtime.recognition.window import Encoded
from realtime.records import Apex, Box, Crop, Face, Frame, Onset, Pose, Quality
from realtime.representation.movement.fields import LAG_S
from realtime.spotting.decide import EventDetector
from realtime.spotting.detector import FaceSpotter, scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.scorer import PAUSE_S, Spot

STAGES = config.load()
#: What the leaky spotter says goes up and down around a half.
LIKELY = msgspec.structs.replace(
    STAGES.spotter, open=0.6, close=0.5, early=0.6, micro=0.6, macro=0.6, fall=0.1, calibrate_s=0.5
)
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


def paused(i):
    """When the i-th frame comes: at 60 Hz, with a pause that makes stages begin anew."""
    return (i + 60 * (i > 100)) / RATE


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
        t = paused(i)
        points = drawn_face(150 + right[i], 120) + rng.normal(0, 0.3, (468, 3)).astype(np.float32)
        image = rng.integers(0, 256, (240, 320, 3)).astype(np.uint8)
        face = Face(1, t, bounding_box(points), points, Pose(0.0, 0.0, 0.0), Quality(80.0, 50.0, 120.0, ()))
        items.append((Frame(image, t, i, gap=0, grabbed=0.0), face))
    assert_causal(lambda: Aligner(STAGES.align).push, items)


def test_the_lagged_flow(restless):
    assert_causal(lambda: LaggedFlow(LAG_S, 64, PAUSE_S).push, restless, cuts=(2, 37, 150))


@pytest.mark.parametrize("kind", ["leaky_spotter", "dark_spotter"])
def test_every_scorer(restless, kind, request):
    engine_of = request.getfixturevalue(kind)
    assert_causal(
        lambda: scorer_of(engine_of(64), LaggedFlow(LAG_S, 64, PAUSE_S)).push, restless, cuts=(2, 37, 101, 150)
    )


def test_the_event_detector():
    likely = 1.0 / (1.0 + np.exp(-np.stack([wander(seed) for seed in (7, 8, 9)], 1)))
    items = [Spot(paused(i), *row) for i, row in enumerate(likely.tolist())]
    begun = []

    def make():
        detector = EventDetector(LIKELY, count(1))

        def push(spot):
            moments = detector.push(1, spot)
            begun.extend(moments)
            return moments

        return push

    assert_causal(make, items)
    assert len({type(moment) for moment in begun}) == 3  # onsets, apexes and offsets


def test_the_smoothed_expression():
    shares = np.random.default_rng(9).dirichlet(np.ones(8), 300).astype(np.float32)
    items = [(i / RATE, share) for i, share in enumerate(shares)]

    def make():
        smoothed = Smoothed(STAGES.recognise)
        return lambda item: smoothed.push(*item)

    assert_causal(make, items)


@pytest.fixture(scope="module")
def restless():
    """Crops of a texture whose upper part wanders, as the head does."""
    rng, right, down = np.random.default_rng(10), wander(11, step=0.4), wander(12, step=0.4)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 1.5)
    items = []
    for i in range(300):
        moved = cv2.warpAffine(texture, np.float32([[1, 0, right[i]], [0, 1, down[i]]]), (64, 64))
        picture = np.where(np.arange(64)[:, None, None] < 24, moved, texture)  # only the brows move
        items.append(Crop(1, paused(i), picture, POINTS, MATRIX, Pose(right[i], down[i], 0.0)))
    return items


@pytest.fixture(scope="module")
def shipped():
    """The spotter of the default configuration."""
    return spotter(STAGES)


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


def test_the_answers_of_every_kind_of_engine(expressive_crops, packages, shipped):
    face = Face(1, 0.0, Box(0, 0, 1, 1), POINTS, Pose(0.0, 0.0, 0.0), Quality(80.0, 50.0, 120.0, ()))
    encoder = Encoder(Echo(packages / "encoder"))
    judges = [
        Recogniser(STAGES.recognise, encoder, Judges(tuple(Echo(packages / name) for name in names)))
        for names in (["head"], ["apex"], ["clips"], ["fields"], ["fields", "head"])
    ]

    def make():
        own = FaceSpotter(STAGES.spotter, STAGES.align.size_px, shipped, count(1))
        person, pace = Person(STAGES, face, own), Pace(ENCODER_HZ, EARLY)

        def push(crop):
            shares = np.full(8, 1 / 8, np.float32)
            encoded = Encoded(crop.image[:16, 0, 0].astype(np.float32), shares)
            moments = person.push(face, crop, encoded if pace.allows(1, crop.t) else None)
            return [person.answer(moment, judge, crop.t) for moment in moments for judge in judges]

        return push

    assert_causal(make, expressive_crops, cuts=(252,))


def push_of(spotter, begun, ask=None):
    """The spotter of a face as a function of a crop; `ask` is when the face is said to be neutral."""

    def push(crop):
        if ask is not None and crop.t == ask:
            spotter.calibrate()
        moments = spotter.push(crop)
        begun.extend(moments)
        return moments, spotter.score, spotter.field

    return push


def test_the_spotter(expressive_crops, shipped):
    def make():
        return push_of(FaceSpotter(STAGES.spotter, STAGES.align.size_px, shipped, count(1)), begun)

    begun = []
    assert_causal(make, expressive_crops, cuts=(1, 2, 90, 136, 245, 252, 258, 300))
    assert any(isinstance(moment, Onset) for moment in begun)


def test_the_spotter_through_pauses_and_calibrations(restless, leaky_spotter):
    begun = []

    def make():
        return push_of(FaceSpotter(LIKELY, 64, leaky_spotter(64), count(1)), begun, ask=restless[140].t)

    assert_causal(make, restless, cuts=(2, 37, 150))
    assert len({type(moment) for moment in begun}) == 3  # onsets, apexes and offsets


def test_the_spotter_whose_apexes_the_formula_names(restless, leaky_spotter):
    begun, points = [], np.full((468, 2), 32.0, np.float32)
    for point, place in {lm.LEFT_MOUTH: (22, 49), lm.RIGHT_MOUTH: (42, 49), lm.CHIN: (32, 61)}.items():
        points[point] = place
    crops = [replace(crop, landmarks=points) for crop in restless]
    named = msgspec.structs.replace(LIKELY, apex="formula")

    def make():
        return push_of(FaceSpotter(named, 64, leaky_spotter(64), count(1)), begun)

    assert_causal(make, crops, cuts=(37, 150))
    apexes = {moment.t for moment in begun if isinstance(moment, Apex)}
    assert apexes
    assert apexes <= {crop.t for crop in crops}  # the network's lie between ticks
