"""What the shipped read-out says of faces that nobody but the generator moved, and of noise."""

import numpy as np
import pytest

from realtime.config import ROOT, load
from realtime.engine.factory import open_engine
from realtime.recognition.units import told_by
from realtime.recognition.window import Seen, Span
from realtime.records import Crop, Pose
from realtime.representation.apex_field import FIELD
from realtime.representation.movement.fields import FIELD_PX, mirrored, on_face
from realtime.representation.movement.motion import layout
from train.clips.movement.exact import AS_CUT
from train.clips.movement.fields import exact
from train.clips.movement.mixtures import STILL, moved_by
from train.synthesis.face import facekit
from train.synthesis.face.channels import INDEX, NAMES
from train.synthesis.face.render import Rendered

SIZE = 128


@pytest.fixture(scope="module")
def engine():
    return open_engine(ROOT / "engines/units", load(overrides=["engines.device=cpu", "engines.precision=f32"]).engines)


@pytest.fixture(scope="module")
def actor(facekit_path):
    return Rendered(facekit.load(facekit_path), "crop", SIZE, np.random.default_rng(3))


@pytest.fixture(scope="module")
def channels(actor):
    return moved_by(actor)


def amounts(**given):
    found = np.zeros(len(NAMES), np.float32)
    for name, amount in given.items():
        found[INDEX[f"{name[1:]}{name[0]}"]] = amount
    return found


def said(engine, field):
    return told_by(engine, {FIELD: np.asarray(field, np.float32)[None]})


def field_of(channels, **given):
    moved = np.tensordot(amounts(**given), channels, 1).astype(np.float32)
    return on_face(exact(moved, AS_CUT, layout(SIZE)))


def test_a_scripted_lip_corner_is_told_on_its_side(engine, channels):
    [unit] = said(engine, field_of(channels, L12=0.4))
    assert (unit.unit, unit.side, unit.words) == ("12", "left", "lip corner up, left")
    assert unit.left == pytest.approx(0.4, abs=0.2)


def test_in_a_mirror_it_is_the_other_side(engine, channels):
    [unit] = said(engine, mirrored(field_of(channels, L12=0.4)))
    assert (unit.unit, unit.side) == ("12", "right")


def test_brows_that_rise_are_told_as_such(engine, channels):
    assert {unit.unit for unit in said(engine, field_of(channels, L1=0.4, R1=0.4, L2=0.4, R2=0.4))} == {"1", "2"}


def test_what_moves_little_or_not_at_all_is_not_told(engine, channels):
    assert said(engine, np.zeros((2, FIELD_PX, FIELD_PX))) == ()
    assert said(engine, field_of(channels, L12=0.01)) == ()


@pytest.mark.parametrize("size", [1e-4, 1e-3, 1e-2, 0.1])
def test_noise_says_nothing(engine, size):
    rng = np.random.default_rng(5)
    found = [said(engine, on_face(rng.normal(0, size, (2, FIELD_PX, FIELD_PX)))) for _ in range(20)]
    assert sum(map(bool, found)) <= 1


def test_a_film_of_one_corner_is_read_through_the_live_flow(engine, actor):
    rest, smile = actor.frames(np.stack([amounts(), amounts(L12=0.5)]), STILL)
    crops = [Crop(1, t, image, np.zeros((468, 2)), AS_CUT, Pose(0, 0, 0)) for t, image in ((0.0, rest), (0.2, smile))]
    event = Span([Seen(crop, np.zeros((2, FIELD_PX, FIELD_PX), np.float32), None) for crop in crops], [])
    found = said(engine, engine.manifest.representation.of_event(event, 0.2)[FIELD][0])
    assert [(unit.unit, unit.side) for unit in found] == [("12", "left")]
