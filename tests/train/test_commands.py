import pytest
from train.config.old import load

from realtime.config import ROOT
from realtime.errors import ConfigError
from train import commands
from train.commands import METHODS, Method
from train.methods.apexnet.config import ApexnetRecordedConfig
from train.methods.experiment import Experiment
from train.tuning.config import TuneConfig


@pytest.fixture(params=["expression"])
def config(request):
    return load(ROOT / f"configs/train/{request.param}.toml")


@pytest.fixture
def cmn(recipe_of):
    return recipe_of("cmn")


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
    monkeypatch.setattr(Experiment, "scores", lambda self: ())
    monkeypatch.setattr(Experiment, "export", lambda self, *given: given)
    assert commands.export(cmn, tmp_path, precision) == (tmp_path / f"cmn-{precision}", precision, ())


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


def test_settings_are_compared_on_synthetic_clips_and_refused_before_any_is_made(cmn, recipe_of, monkeypatch):
    monkeypatch.setattr(Experiment, "fit", lambda *_: pytest.fail("trained"))
    with pytest.raises(ConfigError, match="aman"):
        commands.ablate(cmn, ["head=cmnet,aman"], 2)
    for other in ("cmn-smic-3",):
        with pytest.raises(ConfigError, match=rf"{other} is no cmn or apexnet or motion or spotter with \[clips\]"):
            commands.ablate(load(ROOT / f"configs/train/{other}.toml"), ["head=cmnet"], 2)
    assert compared == []


@pytest.mark.parametrize(
    ("file", "vary", "refused"),
    [
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


def test_an_engine_is_rebuilt_step_by_step_and_an_interrupted_step_is_the_last(cmn, monkeypatch, tmp_path):
    done = []

    def step(word):
        return lambda self, *given: done.append((word, self.workers, *given)) or word

    for word in ("prepare", "fit", "export"):
        monkeypatch.setattr(Experiment, word, step(word))
    monkeypatch.setattr(Experiment, "scores", lambda self: ())
    assert commands.rebuild(cmn, tmp_path, "fp16", 3) == "export"
    assert done == [("prepare", 3), ("fit", None), ("export", None, tmp_path / "cmn-fp16", "fp16", ())]

    def killed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        commands.rebuild(cmn, tmp_path, "fp32")
    assert done[3:] == [("prepare", None)]


@pytest.mark.parametrize("method", ["cmn", "motion"])
def test_synthetic_faces_are_those_of_any_recipe_with_clips(method, recipe_of, monkeypatch):
    config = recipe_of(method)
    monkeypatch.setattr("train.commands.Synthetic", lambda clips: clips)
    assert commands.synthetic(config) == config.source.clips


@pytest.mark.parametrize("file", ["expression", "tune", "cmn-smic-3"])
def test_a_configuration_without_clips_makes_no_faces_and_is_told_of_those_that_do(file, recipe_of):
    method, _, data = file.partition("-")
    config = recipe_of(method, data) if data else load(ROOT / f"configs/train/{file}.toml")
    with pytest.raises(ConfigError, match=rf"{config.name} has no \[clips\].*such as configs/data/synthetic.toml"):
        commands.synthetic(config)
