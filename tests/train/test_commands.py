import logging
from pathlib import Path

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from train import commands
from train.clips import ClipCrops
from train.commands import METHODS, Method
from train.config import CmnConfig, load
from train.datasets.sample import Sample

RATE_HZ = 20.0


@pytest.fixture(params=["expression", "cmn"])
def config(request):
    return load(ROOT / f"configs/train/{request.param}.toml")


@pytest.fixture
def cmn():
    return load(ROOT / "configs/train/cmn.toml")


def clip(number, times):
    sample = Sample(f"clip{number}", "p", "negative", 0.3, 0.4, 0.6)
    return ClipCrops(sample, np.array(times), [np.full((4, 4, 3), i, np.uint8) for i in range(len(times))])


def test_every_configuration_that_is_shipped_has_its_commands():
    for path in (ROOT / "configs/train").glob("*.toml"):
        assert type(load(path)) in METHODS


def test_a_command_is_the_methods_own(config, monkeypatch, tmp_path):
    asked = []

    def answer(word):
        return lambda *given: asked.append((word, *given)) or word

    monkeypatch.setitem(METHODS, type(config), Method(answer("prepare"), answer("fit"), answer("export")))
    assert (commands.prepare(config), commands.fit(config)) == ("prepare", "fit")
    assert commands.export(config, tmp_path) == "export"
    assert asked == [("prepare", config), ("fit", config), ("export", config, tmp_path / config.name)]


def test_the_head_sees_each_clips_event_alone_and_no_clip_that_lost_the_face(cmn, monkeypatch, caplog):
    whole = clip(0, np.arange(18) / RATE_HZ)
    lost = clip(1, [0.0, 0.05, 0.1, 0.35, 0.7, 0.75])  # one frame is left of the event
    asked = []

    def found(dataset, key, cache):
        asked.append((key, cache))
        return [whole, lost]

    monkeypatch.setattr("train.commands.Synthetic", lambda clips: clips)
    monkeypatch.setattr("train.commands.preparation.clip_crops", found)
    with caplog.at_level(logging.WARNING):
        (kept,) = commands._clips(cmn)
    assert kept.sample == whole.sample
    assert kept.times == pytest.approx([0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6])
    assert [int(crop[0, 0, 0]) for crop in kept.crops] == [6, 7, 8, 9, 10, 11, 12]
    assert "1 of 2 clips are left out" in caplog.text
    assert asked[0][1] == Path(cmn.cache)


def test_the_cache_of_clips_is_named_by_what_shapes_them_alone(cmn, monkeypatch):

    keys = []
    monkeypatch.setattr("train.commands.Synthetic", lambda clips: clips)
    monkeypatch.setattr("train.commands.preparation.clip_crops", lambda dataset, key, cache: keys.append(key) or [])
    other_clips = msgspec.structs.replace(cmn.clips, seed=99)
    for config in (cmn, msgspec.structs.replace(cmn, seed=99), msgspec.structs.replace(cmn, clips=other_clips)):
        commands._clips(config)
    assert keys[0] == keys[1] != keys[2]


def test_the_encoder_of_a_training_computes_in_f32(cmn, monkeypatch):
    opened = []
    monkeypatch.setattr("train.embeddings.open_engine", lambda folder, settings: opened.append((folder, settings)))
    commands._encoder(cmn)
    folder, settings = opened[0]
    assert (folder, settings.precision) == (Path(cmn.encoder), "f32")


def test_the_head_is_given_its_clips_and_its_encoder(cmn, monkeypatch, tmp_path):
    method = METHODS[CmnConfig]
    monkeypatch.setattr("train.commands._clips", lambda config: ["clips"])
    monkeypatch.setattr("train.commands._encoder", lambda config: "encoder")
    calls = []
    for word in ("prepare", "fit", "export"):
        monkeypatch.setattr(f"train.commands.cmn.{word}", lambda *given, word=word: calls.append((word, given)) or word)
    assert method.prepare(cmn) == Path(cmn.cache)
    assert method.fit(cmn) == "fit"
    assert method.export(cmn, tmp_path) == "export"
    assert calls == [
        ("prepare", (cmn, ["clips"], "encoder")),
        ("fit", (cmn, ["clips"], "encoder")),
        ("prepare", (cmn, ["clips"], "encoder")),
        ("export", (cmn, "prepare", "encoder", tmp_path)),
    ]
