"""Every method that learns from recorded clips, on drawn ones of the shipped data sets, to package and report."""

import dataclasses
import pickle

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT, convert, read_toml
from realtime.engine.check import check
from realtime.errors import ConfigError, DataError
from train import registry
from train.config.recorded import KFold, Lists, Rates, RecordedSettings
from train.datasets.annotation.labels import LABEL_SETS
from train.datasets.corpora.catalogue import LOADERS
from train.evaluation.protocols import benchmark
from train.evaluation.report import REPORT
from train.evaluation.runners import Serial
from train.evaluation.scoring import figures
from train.methods import folds, packages
from train.methods.menet.config import EarlierEpochs
from train.registry import METHODS
from train.sources import protocols
from train.sources.collection import collect

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
NAMES = [name for name, method in METHODS.items() if "recorded" in method.sources]
SETS = sorted(path.stem for path in (ROOT / "configs/data").glob("*.toml") if read_toml(path)["source"] == "recorded")
QUICK = KFold(k=3, seed=1, threads=1)
replace = msgspec.structs.replace


@pytest.fixture
def asked(recipe_of, drawn, packages_folder, gather_by):
    """The experiment of a method on a shipped data set, small; the clips that it names are drawn."""

    def gather(data, rates, cache, workers):
        return collect([drawn(each.name, LABEL_SETS[each.labels].labels, people=3) for each in data], rates, cache)

    def make(method, data, source=(), **changes):
        kind = METHODS[method].config
        own = {"encoder": packages_folder, "frames": 4, "shows": "apex", "rest": 0.0, "width": 8}
        own |= {"macro": ()} if method == "microattention" else {}  # of others it is no list of sets
        own |= {"before": EarlierEpochs(identity=1, motion=1)}
        own = {key: value for key, value in own.items() if key in kind.__struct_fields__}
        given = recipe_of(method, data, **({"epochs": 1} | own | changes))
        return registry.experiment(dataclasses.replace(given, source=replace(given.source, **dict(source))))

    gather_by(gather)
    return make


@pytest.fixture
def packages_folder(packages):
    return str(packages / "encoder")


def test_all_that_were_promised_are_there():
    assert SETS == ["casme2-5", "dfew-7", "megc-3", "samm-5", "smic-3"]
    assert set(NAMES) >= {"cmn", "motion", "apexnet", "ecstfl"}


@pytest.mark.parametrize("data", SETS)
def test_a_source_names_data_labels_and_a_protocol_that_exist(data, recipe_of):
    source = recipe_of("motion", data).source
    assert source.set == data
    assert all(each.name in LOADERS and each.labels in LABEL_SETS for each in source.data)
    assert all(not each.root.startswith("/") for each in source.data)
    assert benchmark(source) is not None
    assert not isinstance(source.evaluate, Lists) or source.data[0].name in protocols.LISTS


@pytest.mark.parametrize("data", ["megc-3", "casme2-5"])
@pytest.mark.parametrize("method", NAMES)
def test_a_method_trains_on_all_clips(method, data, asked, tmp_path):
    experiment = asked(method, data)
    assert experiment.prepare() == tmp_path / "cache"
    folder = experiment.fit()
    assert folder.parent == tmp_path / "runs" / f"{method}-{data}"
    weights = torch.load(folder / "weights.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.parametrize(("method", "data"), [("cmn", "megc-3"), ("ecstfl", "smic-3")])
def test_an_evaluation_predicts_each_clip_once_and_goes_on_where_it_was(method, data, asked):
    experiment, ran = asked(method, data), []
    sets = len(experiment.recipe.source.data)

    class Counting(Serial):
        def run(self, fit_predict, tasks):
            ran.append(len(tasks))
            for task in super().run(fit_predict, tasks):
                yield task
                if len(ran) == 1 and len(tasks) > 2:
                    raise KeyboardInterrupt  # after the first fold

    with pytest.raises(KeyboardInterrupt):
        folds.evaluate(experiment, Counting())
    path, scores = folds.evaluate(experiment, Counting())
    assert folds.evaluate(experiment, Counting())[1] == scores
    assert ran == [3 * sets, 3 * sets - 1, 0]
    assert [sum(found.counts.values()) for found in scores.values()] == [9 * sets]
    assert path.name == REPORT
    page = path.read_text("utf-8")
    assert f"{9 * sets} clips of {3 * sets} people" in page
    assert "Published" in page


@pytest.mark.parametrize("method", NAMES)
def test_it_trains_and_is_tested_through_slow_cameras_cut_at_moments_of_its_own(method, asked):
    rates = Rates(train_hz=(0.0, 25.0), test_hz=(25.0, 0.0, 20.0), seed=1)
    source = {"rates": rates, "evaluate": QUICK, "calibration": 0.4}
    path, scores = folds.evaluate(asked(method, "smic-3", source, jitter_s=0.04), Serial())
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


def test_other_settings_are_evaluated_in_a_folder_of_their_own(asked):
    paths = {folds.evaluate(asked("ecstfl", "smic-3", {"evaluate": QUICK}, seed=seed), Serial())[0] for seed in (1, 2)}
    assert len(paths) == 2


@pytest.mark.parametrize("method", NAMES)
def test_an_engine_carries_the_pooled_scores_of_its_evaluation(method, asked, tmp_path, golden_of, engines, caplog):
    crops = list(np.random.default_rng(1).integers(0, 256, (70, 48, 48, 3), dtype=np.uint8))
    golden_of(crops)
    experiment, folder = asked(method, "casme2-5", {"evaluate": QUICK}), tmp_path / "engines" / f"{method}-casme2-5"
    if method == "ecstfl":  # the slow part once is enough
        assert packages.export(experiment, folder, "fp32").scores == ()
        assert "exported without scores" in caplog.text
    _, scores = folds.evaluate(experiment, Serial())
    made = packages.export(experiment, folder, "fp32")
    assert check(folder, engines).ok
    assert {score.name: score.value for score in made.scores} == pytest.approx(figures(scores), abs=1e-4)
    assert all("pooled over 3 folds" in score.protocol for score in made.scores)
    assert (made.vocabulary, made.labels) == ("casme2-5", LABEL_SETS["casme2-5"].labels)


def test_a_checkpoint_that_is_not_there_is_named(asked, tmp_path):
    with pytest.raises(DataError, match="no checkpoint"):
        folds.evaluate(asked("ecstfl", "smic-3", initial=str(tmp_path / "none.pth")), Serial())


def test_single_keys_are_changed_as_strictly_as_they_are_read():
    files = [ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/casme2-5.toml"]
    changed = registry.load(files, ["epochs=2", "data.0.root=mine", "evaluate.seed=7"])
    assert (changed.method.epochs, changed.source.data[0].root, changed.source.evaluate.seed) == (2, "mine", 7)
    with pytest.raises(ConfigError, match=r"unknown field `epoch`"):
        registry.load(files, ["epoch=2"])


def test_a_run_has_one_name_wherever_it_is_kept():
    files = [ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/casme2-5.toml"]
    elsewhere = registry.load(files, ["cache=elsewhere", "runs=too", "machine.accelerator=cpu"])
    assert elsewhere.shaping() == registry.load(files).shaping()
    assert registry.load(files, ["seed=2"]).shaping() != registry.load(files).shaping()


@pytest.fixture
def predict(asked):
    """What predicts the folds of a method, and the sides of one fold."""

    def make(method):
        rates = Rates(train_hz=(0.0,), test_hz=(0.0, 25.0), seed=1)
        experiment = dataclasses.replace(asked(method, "smic-3", {"rates": rates, "calibration": 0.4}), workers=1)
        experiment.prepare()
        fold = next(fold for fold in experiment.source.folds() if fold.name.endswith("p0"))
        return folds.FoldPredict(experiment), list(fold.train), list(fold.test)

    return make


@pytest.mark.parametrize("method", NAMES)
def test_a_method_can_be_sent_and_gives_the_same_bits_there(method, predict, tmp_path):
    here, train, test = predict(method)
    there = pickle.loads(pickle.dumps(here))
    found = []
    for number, each in enumerate((here, there)):
        torch.rand(number + 3)  # what was drawn before does not matter
        (tmp_path / str(number)).mkdir()
        found.append(each(train, test, 5, tmp_path / str(number)))
    assert found[0].shape == (2, 3, 3)
    assert found[0].sum(2) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][0], found[0][1])  # other pictures at the other rate
    (tmp_path / "other").mkdir()
    assert not np.array_equal(here(train, test, 6, tmp_path / "other"), found[0])


@pytest.mark.parametrize("method", NAMES)
def test_the_company_of_a_test_clip_does_not_change_its_answer(method, predict, tmp_path):
    here, train, test = predict(method)
    answers = []
    for name, ids in (("a", test), ("b", test[::-1][:2])):
        (tmp_path / name).mkdir()
        answers.append(here(train, ids, 5, tmp_path / name))
    assert answers[1] == pytest.approx(answers[0][:, ::-1][:, :2], abs=1e-6)
