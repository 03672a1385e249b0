import dataclasses
import logging
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from realtime.errors import ConfigError
from train import commands
from train.commands import METHODS, Method
from train.config.old import load
from train.methods.apexnet.config import ApexnetRecordedConfig
from train.methods.cmn.config import CmnConfig
from train.tuning.config import TuneConfig


@pytest.fixture(params=["expression", "cmn"])
def config(request):
    return load(ROOT / f"configs/train/{request.param}.toml")


@pytest.fixture
def cmn():
    return load(ROOT / "configs/train/cmn.toml")


def test_every_configuration_that_is_shipped_has_its_commands():
    for path in (ROOT / "configs/train").glob("*.toml"):
        config = load(path)
        assert type(config) in METHODS or isinstance(config, TuneConfig)  # which trains nothing


def test_a_command_is_the_methods_own(config, monkeypatch, tmp_path):
    asked = []

    def answer(word):
        return lambda *given: asked.append((word, *given)) or word

    made = Method(*map(answer, ("prepare", "fit", "export", "network")))
    monkeypatch.setitem(METHODS, type(config), made)
    assert (commands.prepare(config, 3), commands.fit(config)) == ("prepare", "fit")
    assert commands.export(config, tmp_path, "fp32") == "export"
    assert asked == [("prepare", config, 3), ("fit", config), ("export", config, tmp_path / config.name, "fp32")]


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_packages_of_other_precisions_lie_beside_that_of_fp32(cmn, monkeypatch, tmp_path, precision):
    made = dataclasses.replace(METHODS[CmnConfig], export=lambda config, *given: given)
    monkeypatch.setitem(METHODS, CmnConfig, made)
    assert commands.export(cmn, tmp_path, precision) == (tmp_path / f"cmn-{precision}", precision)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_only_int8_looks_for_the_apexes_to_calibrate_with(monkeypatch, tmp_path, precision):
    config = load(ROOT / "configs/train/apexnet-casme2-5.toml")
    monkeypatch.setattr("train.commands._collection", lambda config: "clips")
    monkeypatch.setattr("train.commands._evaluated", lambda config, clips: "scores")
    monkeypatch.setattr("train.commands._apexes", lambda config, clips: "apexes")
    monkeypatch.setattr("train.commands.apexnet_recorded.trial", lambda config, *given: given)
    monkeypatch.setattr("train.commands.apexnet_recorded.export", lambda config, *given: given)
    trial = ("clips", "apexes") if precision == "int8" else None
    assert METHODS[ApexnetRecordedConfig].export(config, tmp_path, precision) == (
        "clips",
        "scores",
        tmp_path,
        precision,
        trial,
    )


def test_the_head_sees_each_clips_event_alone_and_no_clip_that_lost_the_face(cmn, drawn, monkeypatch, caplog, tmp_path):
    dataset = drawn(people=2, per_person=1)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:5] if sample.id == "1-0" else film(sample)
    monkeypatch.setattr("train.commands.Synthetic", lambda clips: dataset)
    with caplog.at_level(logging.WARNING):
        (whole,) = commands._whole(msgspec.structs.replace(cmn, cache=str(tmp_path)))
    kept = whole.cut()
    assert kept.sample.id == "toy/0-0"
    assert kept.times == pytest.approx(np.arange(2, 11) / 50)
    assert np.array_equal(kept.crops, [frame.image for frame in film(dataset.samples()[0])[2:11]])
    assert "1 of 2 clips are left out" in caplog.text


def test_settings_are_compared_on_synthetic_clips_and_refused_before_any_is_made(cmn, monkeypatch):
    compared = []
    monkeypatch.setattr("train.evaluation.ablation.ablate", lambda *given: compared.append(given) or [])
    with pytest.raises(ConfigError, match="aman"):
        commands.ablate(cmn, ["head=cmnet,aman"], 2)
    for other in ("cmn-smic-3",):
        with pytest.raises(ConfigError, match=rf"{other} is no cmn or apexnet or motion or spotter with \[clips\]"):
            commands.ablate(load(ROOT / f"configs/train/{other}.toml"), ["head=cmnet"], 2)
    assert compared == []


@pytest.mark.parametrize(
    ("file", "vary", "refused"),
    [
        ("cmn", "head=cmnet", "clips.people=3"),
        ("motion", "exact.share=0", "clips.people=3"),
        ("spotter", "without=blink", "test_films=3"),
    ],
)
def test_each_method_that_knows_its_truth_can_be_compared(file, vary, refused, monkeypatch):
    compared = []
    monkeypatch.setattr("train.evaluation.ablation.ablate", lambda *given: compared.append(given) or [])
    config = load(ROOT / f"configs/train/{file}.toml")
    with pytest.raises(ConfigError, match=refused.partition("=")[0]):
        commands.ablate(config, [refused], 2)
    assert commands.ablate(config, [vary], 2) == []
    [(method, [variant], seeds)] = compared
    assert method is commands.COMPARED[type(config)]
    assert (variant.config, list(seeds)) == (
        load(ROOT / f"configs/train/{file}.toml", [vary.replace("blink", "['blink']")]),
        [1, 2],
    )
    assert all(hasattr(config, name) for name in (*method.data, *method.shared))


def test_the_encoder_of_a_training_computes_in_f32(cmn, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "train.clips.embeddings.open_engine", lambda folder, settings: opened.append((folder, settings))
    )
    commands._encoder(cmn)
    folder, settings = opened[0]
    assert (folder, settings.precision) == (Path(cmn.encoder), "f32")


def test_the_head_is_given_its_clips_and_its_encoder(cmn, monkeypatch, tmp_path):
    method = METHODS[CmnConfig]
    asked = []
    whole = [SimpleNamespace(cut=lambda: "clip")]
    monkeypatch.setattr("train.commands._whole", lambda config, workers=None: asked.append(workers) or whole)
    monkeypatch.setattr("train.commands.moving", lambda clips, workers=None: ["fields", workers, clips is whole])
    monkeypatch.setattr("train.commands._encoder", lambda config: "encoder")
    calls = []
    for word in ("prepare", "fit", "export"):
        monkeypatch.setattr(f"train.commands.cmn.{word}", lambda *given, word=word: calls.append((word, given)) or word)
    assert method.prepare(cmn, 3) == Path(cmn.cache)
    assert method.fit(cmn) == "fit"
    assert method.export(cmn, tmp_path, "fp16") == "export"
    assert asked == [3, None, None]
    assert calls == [
        ("prepare", (cmn, ["clip"], "encoder", ["fields", 3, True])),
        ("prepare", (cmn, ["clip"], "encoder", ["fields", None, True])),
        ("fit", (cmn, "prepare")),
        ("prepare", (cmn, ["clip"], "encoder", ["fields", None, True])),
        ("export", (cmn, "prepare", "encoder", tmp_path, "fp16")),
    ]


def test_an_engine_is_rebuilt_step_by_step_and_an_interrupted_step_is_the_last(cmn, monkeypatch, tmp_path):
    done = []

    def step(word):
        return lambda *given: done.append((word, *given[1:])) or word

    monkeypatch.setitem(METHODS, CmnConfig, Method(*map(step, ("prepare", "fit", "export", "network"))))
    assert commands.rebuild(cmn, tmp_path, "fp16", 3) == "export"
    assert done == [("prepare", 3), ("fit",), ("export", tmp_path / "cmn-fp16", "fp16")]

    def killed(config):
        raise KeyboardInterrupt

    monkeypatch.setitem(METHODS, CmnConfig, Method(step("prepare"), killed, step("export"), step("network")))
    with pytest.raises(KeyboardInterrupt):
        commands.rebuild(cmn, tmp_path, "fp32")
    assert done[3:] == [("prepare", None)]


@pytest.mark.parametrize("file", ["cmn", "motion"])
def test_synthetic_faces_are_those_of_any_configuration_with_clips(file, monkeypatch):
    config = load(ROOT / f"configs/train/{file}.toml")
    monkeypatch.setattr("train.commands.Synthetic", lambda clips: clips)
    assert commands.synthetic(config) == config.clips


@pytest.mark.parametrize("file", ["expression", "cmn-smic-3", "motion-smic-3", "tune"])
def test_a_configuration_without_clips_makes_no_faces_and_is_told_of_those_that_do(file):
    config = load(ROOT / f"configs/train/{file}.toml")
    methods = "cmn or apexnet or motion or spotter"
    with pytest.raises(ConfigError, match=rf"{config.name} has no \[clips\].*of {methods} that has"):
        commands.synthetic(config)
