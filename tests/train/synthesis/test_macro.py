"""Macro-expressions of synthetic people: one in each clip, which is as long as it takes."""

import pickle

import msgspec
import numpy as np
import pytest
from packed_faces import noise, packed

from realtime.config import ROOT, convert, read_toml
from realtime.labels import MEGC3
from train.config.clips import SyntheticSettings
from train.sources import synthetic
from train.sources.synthetic import SyntheticSource
from train.synthesis import portraits
from train.synthesis.macro import SyntheticMacro
from train.synthesis.script.scene import LEAD_S, TAIL_S
from train.synthesis.script.strokes import MACRO_S
from train.synthesis.synthetic import Synthetic

SHIPPED = ROOT / "configs/data/synthetic.toml"
SETTINGS = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED)


@pytest.fixture
def clips(tmp_path, facekit_path, monkeypatch, finds):
    monkeypatch.setattr(portraits, "open_landmarker", lambda *_, **__: finds())
    faces = packed(tmp_path / "ferplus.npz", noise(3), [{"neutral": 10}] * 3, ["train"] * 3)
    return msgspec.structs.replace(SETTINGS.clips, head=facekit_path, ferplus=str(faces), people=3, per_person=4)


def test_every_clip_is_as_long_as_its_one_expression(clips, class_of):
    made = SyntheticMacro(clips)
    samples = made.samples()
    assert len(samples) == 12
    assert [sample.label for sample in samples] == [*MEGC3] * 4
    assert made.labels == MEGC3
    for sample in samples:
        scene = made.take(sample).scene
        assert sample.onset_s == LEAD_S < sample.apex_s < sample.offset_s
        assert MACRO_S[0] <= sample.offset_s - sample.onset_s <= MACRO_S[1]
        assert scene.seconds == pytest.approx(sample.offset_s + TAIL_S)
        assert [each.role for each in scene.happenings].count("macro") == 1
        assert {"micro", "hand"}.isdisjoint(each.role for each in scene.happenings)
        assert (sample.kind, class_of(sample.action_units)) == ("macro", sample.label)
        assert {unit.strength for unit in sample.action_units} <= {"C", "D", "E"}


def test_they_move_as_strongly_as_they_say_and_are_drawn_apart_from_micro_expressions(clips):
    macro, micro = SyntheticMacro(clips), Synthetic(clips)
    first, other = macro.samples()[0], micro.samples()[0]
    assert first.id == other.id
    assert macro.made_of(first) != micro.made_of(other)
    amounts = macro.take(first).scene.amounts(np.array([0.0, first.apex_s]))
    assert amounts[0].max() == 0.0
    assert amounts[1].max() > 0.2


def test_it_can_be_sent(clips):
    made = SyntheticMacro(clips)
    there = pickle.loads(pickle.dumps(made))
    assert isinstance(there, SyntheticMacro)
    assert there.samples() == made.samples()


def test_a_source_makes_them_of_whom_it_is_asked_for(clips, monkeypatch, tmp_path):
    stored = []
    monkeypatch.setattr(synthetic, "store", lambda dataset, cache, workers: stored.append(dataset) or [])
    names = Synthetic(clips).people[:2]
    source = SyntheticSource(msgspec.structs.replace(SETTINGS, clips=clips), tmp_path)
    assert source.macros([f"synthetic/{name}" for name in names], 5) == []
    [asked] = stored
    assert isinstance(asked, SyntheticMacro)
    assert set(asked.people) == set(names)
    assert len(asked.samples()) == 10
