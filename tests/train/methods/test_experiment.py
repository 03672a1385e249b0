"""One runner for every method: shown with a method that adds itself through the public contracts alone."""

import dataclasses
import logging
import pickle

import msgspec
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from realtime.config import ROOT, Count
from realtime.engine.check import check
from realtime.errors import ConfigError, DataError
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train import registry
from train.config.recipe import Settings
from train.config.sections import Optimiser
from train.evaluation.ablation import table
from train.evaluation.runners import Serial
from train.methods import folds
from train.methods.comparison import compare
from train.methods.method import Method
from train.packaging.golden import golden_crops
from train.packaging.limits import MethodCard
from train.registry import METHODS

pytestmark = pytest.mark.usefixtures("one_thread")
LABELS = ("negative", "positive", "surprise")
TOML = """
method = "toy"
name = "toy"
seed = 1
cache = "CACHE"
runs = "RUNS"
epochs = 60
width = 16

[optimiser]
kind = "adamw"
rate = 0.03
weight_decay = 0.1
batch = 8
warmup = 0.05
schedule = "cosine"
clip = 5.0
average = 0.0

[machine]
accelerator = "cpu"
devices = 1
"""


class ToyConfig(Settings, frozen=True, tag="toy"):
    """The settings of a method that looks at the apex, coarsely."""

    epochs: Count
    width: Count
    optimiser: Optimiser


class Net(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.hidden = nn.Linear(3 * 6 * 6, width)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        feature = self.hidden(x.flatten(1)).relu()
        return feature, self.fc(feature)


class ToyJob:
    """Implements `loop.Job`."""

    def __init__(self, network, inputs, labels, config, seed):
        self.network, self.inputs, self.labels, self.seed = network, inputs, labels, seed
        self.size = min(config.optimiser.batch, len(labels))
        self.epochs, self.steps = config.epochs, len(labels) // self.size

    def batches(self, epoch):
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(self.seed * 1000 + epoch))
        for rows in order.split(self.size)[: self.steps]:
            yield self.inputs[rows], self.labels[rows]

    def loss(self, batch):
        return F.cross_entropy(self.network(batch[0])[1], batch[1])

    def evaluate(self, network):
        return {}


class Toy(Method):
    """The picture of the apex, 6 px wide."""

    config = ToyConfig
    card = MethodCard("A network of 6 pixels.", ("It sees next to nothing.",))
    outputs = ("embedding", "logits")
    calibrates = ("final",)

    def representation(self, config):
        return CropImages(48, 6, IMAGENET_MEAN, IMAGENET_STD)

    def network(self, config, classes):
        return Net(config.width, classes)

    def see(self, config, source, fold, workers=None):
        return source.split(fold)

    def stages(self, config, split, source, seed):
        torch.manual_seed(seed)
        network = self.network(config, len(split.vocabulary.labels))
        labels = torch.tensor([split.vocabulary.labels.index(label) for label in self.labels(split.train[0])])
        inputs = self.inputs(config, split.train[0], "final")["images"]
        return [(ToyJob(network, inputs, labels, config, seed), config.optimiser)]

    def inputs(self, config, clips, answer):
        pictures = [clip.crops()[np.abs(clip.times() - clip.sample.apex_s).argmin()] for clip in clips]
        return {"images": torch.from_numpy(crop_images([np.array(p) for p in pictures], self.representation(config)))}

    def labels(self, clips):
        return [clip.sample.label for clip in clips]

    def golden(self, config, precision):
        return {"images": torch.from_numpy(crop_images(golden_crops(precision), self.representation(config)))}


WITH_TOY = {**METHODS, "toy": Toy()}


@pytest.fixture
def toy(tmp_path):
    """The toy's recipe on a shipped source, as its user would write it."""

    def make(data, *overrides):
        path = tmp_path / "toy.toml"
        path.write_text(TOML.replace("CACHE", str(tmp_path / "cache")).replace("RUNS", str(tmp_path / "runs")))
        return registry.load([path, ROOT / f"configs/data/{data}.toml"], overrides, WITH_TOY)

    return make


@pytest.fixture
def made(toy, drawn, collected, given_clips):
    """An experiment on clips that are stored, of which people are held out as of synthetic ones."""

    def make(*overrides):
        clips = list(collected(drawn(people=6)).at[0.0].values())
        asked = registry.experiment(toy("synthetic", *overrides), 1, WITH_TOY)
        named = [dataclasses.replace(clip, sample=clip.named) for clip in clips]
        return dataclasses.replace(asked, source=given_clips(named, LABELS, name="megc-3"))

    return make


@pytest.fixture
def recorded(toy, drawn, collected, gathered):
    """An experiment on recorded clips, of two halves of the people."""
    collection = collected(drawn(people=4), test_hz=(0.0, 25.0))
    gathered(collection)
    protocol = 'evaluate={protocol="k-fold",k=2,seed=1,threads=1}'
    return registry.experiment(toy("casme2-5", protocol, "rates.test_hz=[0,25]"), 1, WITH_TOY)


def test_a_run_is_trained_calibrated_and_scored_once_and_goes_on_where_it_was(made, caplog):
    asked = made()
    with caplog.at_level(logging.INFO):
        folder = asked.fit()
    assert {path.name for path in folder.iterdir()} >= {"weights.pt", "config.json", "scores.json", "curve.csv"}
    assert "temperature" in caplog.text
    assert {score.name: score.value for score in asked.scores()}["final_uf1"] > 0.9
    before = (folder / "weights.pt").read_bytes()
    assert made().fit() == folder
    assert (folder / "weights.pt").read_bytes() == before
    assert made("seed=2").fit() != folder


def test_a_network_comes_back_as_it_was_trained(made):
    asked = made()
    with pytest.raises(DataError, match="train first"):
        asked.restored()
    asked.fit()
    weights = torch.load(asked.run / "weights.pt", weights_only=True)
    assert all(torch.equal(value, weights[name]) for name, value in asked.restored().state_dict().items())


def test_a_run_becomes_a_package_that_answers_as_torch_does(made, tmp_path, engines, golden_of):
    crops = list(np.random.default_rng(1).integers(0, 256, (60, 48, 48, 3), dtype=np.uint8))
    golden_of(crops)
    asked = made()
    asked.fit()
    manifest = asked.export(tmp_path / "engines" / "toy", "fp32", asked.scores())
    assert check(tmp_path / "engines" / "toy", engines).ok
    assert (manifest.method, manifest.labels, manifest.representation) == (
        "toy",
        LABELS,
        CropImages(48, 6, IMAGENET_MEAN, IMAGENET_STD),
    )
    assert manifest.training.recipe == asked.recipe.tree()
    assert manifest.training.data == ("clips of tests",)


def test_folds_are_tested_at_every_rate_and_reported(recorded, caplog):
    path, scores = folds.evaluate(recorded, Serial())
    assert path.exists()
    assert set(scores) == {0.0, 25.0}
    assert scores[0.0].figures()["accuracy"] > 0.9
    assert {score.name for score in folds.evaluated(recorded)} >= {"accuracy", "uf1"}


def test_the_network_of_all_recorded_clips_has_no_scores_of_its_own(recorded):
    folder = recorded.fit()
    assert not (folder / "scores.json").exists()
    assert recorded.scores() == ()


def test_the_truth_of_test_clips_stays_outside(recorded, tmp_path, monkeypatch):
    shown = []
    inputs = Toy.inputs
    monkeypatch.setattr(
        Toy,
        "inputs",
        lambda self, config, clips, answer: shown.append(self.labels(clips)) or inputs(self, config, clips, answer),
    )
    fold = recorded.source.folds()[0]
    found = folds.FoldPredict(recorded)(fold.train, fold.test, 1, tmp_path / fold.name)
    assert found.shape == (2, len(fold.test), 3)
    assert all(set(labels) == {LABELS[0]} for labels in shown[-2:])


def test_what_predicts_folds_can_be_sent_to_another_machine(recorded):
    again = pickle.loads(pickle.dumps(folds.FoldPredict(recorded)))
    assert again.experiment.recipe == recorded.recipe


def test_settings_are_compared_on_the_same_people(made):
    rows = compare(made("epochs=2"), ["width=2,4"], [1, 2])
    head, _, *lines = table(rows)
    assert head == "| width | at the offset |"
    assert [line.split(" | ")[0] for line in lines] == ["| 2", "| 4"]
    assert [row.seed for row in rows] == [1, 2, 1, 2]


@pytest.mark.parametrize("refused", ["clips.people=3", "cache=x", "set=x"])
def test_what_all_rows_share_is_refused_before_anything_is_trained(made, refused):
    asked = made()
    with pytest.raises(ConfigError, match=refused.partition("=")[0]):
        compare(asked, [refused], [1])
    assert asked.source.asked == []


def test_an_unknown_key_names_its_file_and_a_missing_source_what_to_give(tmp_path, toy):
    with pytest.raises(ConfigError, match="hight"):
        toy("synthetic", "hight=3")
    with pytest.raises(ConfigError, match="give a second --config, a file of configs/data"):
        registry.load([ROOT / "configs/methods/motion.toml"])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_recipe_a_card_and_settings_of_its_name(name):
    method = METHODS[name]
    tree = msgspec.toml.decode((ROOT / f"configs/methods/{name}.toml").read_bytes())
    assert tree["method"] == name == registry.tag(method.config)
    assert method.card.what.endswith(".")
    assert method.card.limits
    assert method.outputs.count("logits") == 1
    assert pickle.loads(pickle.dumps(method)).card == method.card


def test_recipes_are_named_by_method_and_clips():
    motion = ROOT / "configs/methods/motion.toml"
    assert registry.load([motion, ROOT / "configs/data/synthetic.toml"]).name == "motion"
    assert registry.load([motion, ROOT / "configs/data/casme2-5.toml"]).name == "motion-casme2-5"
