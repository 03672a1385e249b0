import pytest

from realtime.config import ROOT
from realtime.errors import ConfigError
from train import console, registry
from train.methods import packages
from train.methods.experiment import Experiment


@pytest.fixture
def cmn(recipe_of):
    return registry.experiment(recipe_of("cmn"), 3)


def test_packages_of_other_precisions_lie_beside_that_of_fp32(tmp_path):
    assert console.package("cmn", tmp_path, "fp32") == tmp_path / "cmn"
    assert console.package("cmn", tmp_path, "int8") == tmp_path / "cmn-int8"


def test_an_engine_is_rebuilt_step_by_step_and_an_interrupted_step_is_the_last(cmn, monkeypatch, tmp_path):
    done = []

    def step(word):
        return lambda self, *given: done.append((word, self.workers, *given)) or word

    for word in ("prepare", "fit", "export"):
        monkeypatch.setattr(Experiment, word, step(word))
    monkeypatch.setattr(Experiment, "scores", lambda self: ())
    assert packages.export(cmn, tmp_path / "cmn-fp16", "fp16", anew=True) == "export"
    assert done == [("prepare", 3), ("fit", 3), ("export", 3, tmp_path / "cmn-fp16", "fp16", ())]

    def killed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Experiment, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        packages.export(cmn, tmp_path / "cmn", "fp32", anew=True)
    assert done[3:] == [("prepare", 3)]


@pytest.mark.parametrize("method", ["cmn", "motion", "spotter"])
def test_people_are_filmed_by_any_source_that_has_some(method):
    configs = ROOT / "configs"
    data = configs / f"data/{'films' if method == 'spotter' else 'synthetic'}.toml"
    clips = registry.filmed([configs / f"methods/{method}.toml", data], ["clips.people=7"])
    assert clips.people == 7
    assert registry.filmed([data]).people == 400


@pytest.mark.parametrize("data", ["smic-3", "ferplus", "enacted"])
def test_a_source_that_films_nobody_is_told_what_to_give(data):
    with pytest.raises(ConfigError, match=rf"{data}.toml: nobody is filmed.*films.toml"):
        registry.filmed([ROOT / f"configs/data/{data}.toml"])
