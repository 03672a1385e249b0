"""Every shipped configuration of recorded clips trains a few steps on drawn ones, as far as its package or report."""

import msgspec
import numpy as np
import pytest
import torch
from train.config.old import Recorded, load, shaping

from realtime.config import ROOT, convert, read_toml
from realtime.engine.check import check
from realtime.errors import ConfigError, DataError
from train import commands
from train.config.recorded import KFold, Lists, Rates, RecordedSettings
from train.datasets.annotation.labels import LABEL_SETS
from train.datasets.corpora.catalogue import LOADERS
from train.evaluation import protocols
from train.evaluation.report import REPORT
from train.evaluation.runners import Serial
from train.evaluation.scoring import figures
from train.sources import protocols as folds
from train.sources.collection import collect

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
FILES = sorted(path.stem for path in (ROOT / "configs/train").glob("*.toml") if isinstance(load(path), Recorded))
replace = msgspec.structs.replace


@pytest.fixture
def shipped(small, drawn, packages, tmp_path, monkeypatch):
    """A shipped configuration, small; the data sets that it names are drawn."""

    def gather(data, rates, cache, workers=None):
        return collect([drawn(each.name, LABEL_SETS[each.labels].labels, people=3) for each in data], rates, cache)

    def make(file, **changes):
        return small(file, **changes)

    monkeypatch.setattr("train.commands.gather", gather)
    return make


def test_all_that_were_promised_are_there():
    sets = ("casme2-5", "samm-5", "smic-3", "megc-3")
    wanted = {f"{method}-{labels}" for method in ("cmn", "apexnet", "motion") for labels in sets}
    assert set(FILES) == wanted


@pytest.mark.parametrize("file", FILES)
def test_a_configuration_names_data_labels_and_a_protocol_that_exist(file):
    config = load(ROOT / f"configs/train/{file}.toml")
    assert config.name == file
    assert all(each.name in LOADERS and each.labels in LABEL_SETS for each in config.data)
    assert all(not each.root.startswith("/") for each in config.data)
    assert protocols.benchmark(config) is not None
    assert not isinstance(config.evaluate, Lists) or config.data[0].name in folds.LISTS


@pytest.mark.parametrize("file", FILES)
def test_a_configuration_trains_on_all_clips(file, shipped, tmp_path):
    config = shipped(file, epochs=1)
    assert commands.prepare(config) == tmp_path / "cache"
    folder = commands.fit(config)
    assert folder.parent == tmp_path / "runs" / file
    weights = torch.load(folder / "weights.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.parametrize("file", ["cmn-megc-3", "apexnet-smic-3", "motion-smic-3"])
def test_an_evaluation_predicts_each_clip_once_and_goes_on_where_it_was(file, shipped, monkeypatch):
    config = shipped(file, epochs=1)
    clips = 9 * len(config.data)
    folds = []

    class Counting(Serial):
        def run(self, fit_predict, tasks):
            folds.append(len(tasks))
            for task in super().run(fit_predict, tasks):
                yield task
                if len(folds) == 1 and len(tasks) > 2:
                    raise KeyboardInterrupt  # after the first fold

    with pytest.raises(KeyboardInterrupt):
        commands.evaluate(config, Counting())
    path, scores = commands.evaluate(config, Counting())
    assert commands.evaluate(config, Counting())[1] == scores
    assert folds == [3 * len(config.data), 3 * len(config.data) - 1, 0]
    assert [sum(found.counts.values()) for found in scores.values()] == [clips]
    assert path.name == REPORT
    page = path.read_text("utf-8")
    assert f"{clips} clips of {3 * len(config.data)} people" in page
    assert "Published" in page


@pytest.mark.parametrize("file", ["cmn-smic-3", "apexnet-smic-3", "motion-smic-3"])
def test_it_trains_and_is_tested_through_slow_cameras_cut_at_moments_of_its_own(file, shipped):
    rates = Rates(train_hz=(0.0, 25.0), test_hz=(25.0, 0.0, 20.0), seed=1)
    quick = KFold(k=3, seed=1, threads=1)
    path, scores = commands.evaluate(shipped(file, epochs=1, rates=rates, jitter_s=0.04, evaluate=quick), Serial())
    assert list(scores) == [25.0, 0.0, 20.0]
    assert [sum(found.counts.values()) for found in scores.values()] == [9, 9, 9]
    page = path.read_text("utf-8")
    assert "3 groups of people, seen at 25 Hz" in page
    assert "By frame rate" in page


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"test_hz": []}, "test_hz"),
        ({"train_hz": []}, "train_hz"),
        ({"test_hz": [0, 30, 30]}, r"a rate stands twice in test_hz, \[0.0, 30.0, 30.0\].*rates"),
        ({"train_hz": [-1]}, "train_hz"),
        ({"phase": 0}, "phase"),
    ],
)
def test_rates_that_make_no_sense_are_refused_by_name(change, problem, tmp_path):
    tree = read_toml(ROOT / "configs/data/smic-3.toml")
    with pytest.raises(ConfigError, match=problem):
        convert(tree | {"rates": tree["rates"] | change}, RecordedSettings, tmp_path)
    with pytest.raises(ConfigError, match="rates"):
        convert({key: value for key, value in tree.items() if key != "rates"}, RecordedSettings, tmp_path)


def test_other_settings_are_evaluated_in_a_folder_of_their_own(recipe_of, drawn, collected, monkeypatch):
    collection = collected(drawn(people=2))
    monkeypatch.setattr("train.sources.recorded.gather", lambda *given: collection)
    recipes = [recipe_of("ecstfl", "smic-3", frames=4, epochs=1, seed=seed) for seed in (1, 2)]
    assert len({commands.evaluate(recipe, Serial())[0] for recipe in recipes}) == 2


@pytest.mark.parametrize("file", ["cmn-casme2-5", "apexnet-casme2-5"])
def test_an_engine_carries_the_pooled_scores_of_its_evaluation(file, shipped, tmp_path, monkeypatch, engines, caplog):
    crops = list(np.random.default_rng(1).integers(0, 256, (20, 48, 48, 3), dtype=np.uint8))
    for module in ("methods.cmn", "golden"):
        monkeypatch.setattr(f"train.{module}.sample_crops", lambda count: crops[:count])
    config = shipped(file, epochs=1, evaluate=KFold(k=3, seed=1, threads=1))
    if file.startswith("ecstfl"):  # the slow part once is enough
        assert commands.export(config, tmp_path / "engines", "fp32").scores == ()
        assert "exported without scores" in caplog.text
    _, scores = commands.evaluate(config, Serial())
    made = commands.export(config, tmp_path / "engines", "fp32")
    assert check(tmp_path / "engines" / file, engines).ok
    assert {score.name: score.value for score in made.scores} == pytest.approx(figures(scores), abs=1e-4)
    assert all("pooled over 3 folds" in score.protocol for score in made.scores)
    assert (made.vocabulary, made.labels) == ("casme2-5", LABEL_SETS["casme2-5"].labels)


def test_what_cannot_be_exported_or_evaluated_says_so(shipped, recipe_of, tmp_path):
    with pytest.raises(ConfigError, match=r"cmn has no \[\[data\]\]"):
        commands.evaluate(recipe_of("cmn"), Serial())
    with pytest.raises(DataError, match="no checkpoint"):
        commands.evaluate(shipped("ecstfl-smic-3", initial=str(tmp_path / "none.pth")), Serial())


def test_single_keys_are_changed_as_strictly_as_they_are_read():
    path = ROOT / "configs/train/cmn-casme2-5.toml"
    changed = load(path, ["epochs=2", "data.0.root=mine", "evaluate.seed=7"])
    assert (changed.epochs, changed.data[0].root, changed.evaluate.seed) == (2, "mine", 7)
    with pytest.raises(ConfigError, match=r"unknown field `epoch`"):
        load(path, ["epoch=2"])


def test_a_run_has_one_name_wherever_it_is_kept():
    path = ROOT / "configs/train/cmn-casme2-5.toml"
    assert shaping(load(path, ["cache=elsewhere", "runs=too", "machine.accelerator=cpu"])) == shaping(load(path))
    assert shaping(load(path, ["seed=2"])) != shaping(load(path))
