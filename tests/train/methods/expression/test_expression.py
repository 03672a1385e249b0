"""The encoder: what it learns from, how, and the way from FER+ to a package."""

import csv
import dataclasses
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.package.manifest import MODEL
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import EngineError
from realtime.labels import FERPLUS
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, IMAGES, CropImages, crop_images
from train import registry
from train.config.sections import Machine, Optimiser, Stage
from train.methods.experiment import Experiment
from train.methods.expression import method as expression
from train.methods.expression.config import Augment, ExpressionConfig, Teaching
from train.methods.expression.job import ExpressionJob, predict
from train.methods.expression.stills import Stills, resize
from train.methods.method import judge
from train.networks.resnet import ResNet10, ResNet18
from train.packaging.golden import CANDIDATES
from train.registry import METHODS
from train.sources import stills
from train.training.augment import standardise

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
EXPRESSION = METHODS["expression"]
COUNTS = {"train": 20, "valid": 10, "test": 10}
SIDE = 32  # at 16 px, where maps of one pixel are convolved, torch 2.13 gives gradients of garbage in bfloat16
CROP_PX = 128


@pytest.fixture
def config(tmp_path):
    return ExpressionConfig(
        seed=1,
        name="encoder",
        cache=str(tmp_path / "cache"),
        runs=str(tmp_path / "runs"),
        network="resnet10",
        precision="bf16",
        dropout=0.1,
        sampling=0.0,
        prior=0.0,
        stages=(Stage(epochs=1, size_px=24), Stage(epochs=1, size_px=SIDE)),
        optimiser=Optimiser(
            kind="sgd", rate=0.02, weight_decay=1e-4, batch=8, warmup=0.1, schedule="cosine", clip=5.0, average=0.9
        ),
        machine=Machine(accelerator="cpu", devices=1),
        augment=Augment(turn_deg=5.0, scale=0.05, shift=0.02, contrast=0.2, tint=0.1, hide=0.2, soften=0.5, noise=0.02),
        teaching=Teaching(engines=(), weight=0.0),
    )


@pytest.fixture(autouse=True)
def crops(monkeypatch):
    """Faces that are told apart by their brightness; the splits that were asked for, and by how many processes."""
    asked = []

    def made(path, split, crop_px, size_px, cache, workers):
        asked.append((split, workers))
        rng = np.random.default_rng(len(split))
        classes = rng.integers(0, 2, COUNTS[split])
        images = rng.integers(0, 60, (COUNTS[split], size_px, size_px)) + 180 * classes[:, None, None]
        targets = np.eye(len(FERPLUS), dtype=np.float32)[classes]
        return images.astype(np.uint8), SimpleNamespace(targets=targets, agreed=np.arange(len(images)) % 2 == 0)

    monkeypatch.setattr(stills, "ferplus_crops", made)
    return asked


@pytest.fixture
def experiment(config, tmp_path):
    """With these changes, on the fixture's faces."""
    (tmp_path / "ferplus.npz").write_bytes(b"not read: see `crops`")

    def make(**changes):
        files = [ROOT / "configs/methods/expression.toml", ROOT / "configs/data/ferplus.toml"]
        given = registry.load(files, [f"ferplus={tmp_path / 'ferplus.npz'}"])
        asked = registry.experiment(given)
        return Experiment(EXPRESSION, type(given)(replace(config, **changes), given.source), asked.source)

    return make


@pytest.fixture
def job_of(experiment):
    def make(**changes):
        asked = experiment(**changes)
        [(job, _)] = EXPRESSION.stages(asked.config, asked.split, asked.source, asked.config.seed)
        return job

    return make


def curve(folder):
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_prepare_cuts_all_three_splits_once(config, experiment, crops):
    assert str(experiment().prepare()) == config.cache
    assert sorted(split for split, _ in crops) == ["test", "train", "valid"]


def test_pictures_are_made_as_the_live_process_makes_them():
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    found = standardise(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    wanted = crop_images(list(images), CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD))
    assert found.numpy() == pytest.approx(wanted, abs=1e-5)


def test_pictures_shrink_by_area():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert resize(x, 2)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert resize(x, 4) is x


def test_the_stages_follow_each_other_at_their_sizes(job_of):
    job = job_of()
    assert (job.epochs, job.steps, job.sizes) == (2, 2, [24, SIDE])
    for epoch, size in enumerate(job.sizes):
        assert [tuple(images.shape) for images, _ in job.batches(epoch)] == [(8, 3, size, size)] * 2


def test_an_epoch_has_the_same_batches_whenever_it_is_asked_for_and_others_than_another(job_of):
    job = job_of()
    first, again, other = (list(job.batches(epoch)) for epoch in (1, 1, 0))
    for (images, shares), (images_again, shares_again) in zip(first, again, strict=True):
        assert torch.equal(images, images_again)
        assert torch.equal(shares, shares_again)
    assert not all(torch.equal(one[1], another[1]) for one, another in zip(first, other, strict=True))


def test_fewer_pictures_than_a_batch_make_one_smaller_batch(config, job_of):
    job = job_of(optimiser=replace(config.optimiser, batch=64))
    assert job.steps == 1
    assert [len(shares) for _, shares in job.batches(0)] == [COUNTS["train"]]


def test_the_configuration_chooses_the_network(config):
    assert isinstance(EXPRESSION.network(config, 8), ResNet10)
    assert isinstance(EXPRESSION.network(replace(config, network="resnet18"), 8), ResNet18)


def test_what_is_rare_is_drawn_as_often_as_the_configuration_says(config, experiment):
    labels = (torch.arange(10_000) % 10 == 0).long()
    shares, images = torch.eye(8)[labels], torch.zeros(10_000, 1, SIDE, SIDE, dtype=torch.uint8)
    split = dataclasses.replace(experiment().split, train=(Stills(images, shares, shares, np.ones(10_000, bool)),))
    for sampling, share in ((0.0, 0.1), (0.5, 0.25), (1.0, 0.5)):  # 0.1**0.5 / (0.1**0.5 + 0.9**0.5) = 0.25
        job = ExpressionJob(replace(config, sampling=sampling), ResNet10(8), split, 1)
        drawn = labels[job._order(torch.Generator().manual_seed(1))]
        assert len(drawn) == 10_000
        assert float(drawn.float().mean()) == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(("sampling", "prior"), [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (1.0, 0.3)])
def test_logits_that_are_learned_expect_each_expression_as_often_as_the_prior_says(job_of, sampling, prior):
    """A network that sees nothing can do no better than to say how often it expects each."""
    job = job_of(sampling=sampling, prior=prior, precision="f32")
    job.often = torch.tensor([0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.01, 0.01])
    drawn = job.often ** (1.0 - sampling) / (job.often ** (1.0 - sampling)).sum()
    wanted = job.often ** (1.0 - prior) / (job.often ** (1.0 - prior)).sum()
    logits = wanted.log()[None].requires_grad_()
    job.network = lambda images: (None, logits)
    job.loss((torch.zeros(1, 3, SIDE, SIDE), drawn[None])).backward()
    assert logits.grad.abs().max() < 1e-6  # the least that the loss can be


@pytest.fixture
def teachers(monkeypatch):
    """All that they say is the sixth expression; what they were asked."""
    asked = []

    def taught(engines, crops, crop_px, cache):
        asked.append((engines, crops(24).shape, crop_px, str(cache)))
        return np.tile(np.eye(8, dtype=np.float32)[5], (COUNTS["train"], 1))

    monkeypatch.setattr(expression, "taught", taught)
    return asked


def test_teachers_share_in_what_is_learned_and_are_asked_when_it_is_prepared(config, experiment, job_of, teachers):
    teaching = Teaching(engines=("engines/one", "engines/two"), weight=0.25)
    experiment(teaching=teaching).prepare()
    assert teachers == [(("engines/one", "engines/two"), (COUNTS["train"], 24, 24), CROP_PX, config.cache)]
    job = job_of(teaching=teaching)
    said = torch.eye(8)[5].expand(COUNTS["train"], 8)
    assert job.train.targets == pytest.approx(0.75 * job.train.shares + 0.25 * said)
    assert torch.equal(job.valid.targets, job.valid.shares)  # whoever is judged is judged by the crowd
    _, targets = next(job.batches(0))
    assert targets[:, 5] == pytest.approx(0.25)
    alone = job_of()
    assert torch.equal(alone.train.targets, alone.train.shares)


def test_another_teacher_makes_another_run_and_one_that_is_missing_is_named(experiment, packages, monkeypatch):
    one, two = (Teaching(engines=(str(packages / name),), weight=0.5) for name in ("encoder", "head"))
    runs = {experiment(teaching=teaching).run for teaching in (one, two, Teaching(engines=(), weight=0.0))}
    assert len(runs) == 3
    found = EXPRESSION.files(experiment(teaching=one).config)
    assert found == {str(packages / "encoder"): load_manifest(packages / "encoder").files[MODEL]}
    with pytest.raises(EngineError, match="nobody"):
        experiment(teaching=Teaching(engines=("engines/nobody",), weight=0.5)).fit()


def test_predictions_are_probabilities_in_the_order_of_the_pictures(job_of):
    job = job_of()
    images = torch.randint(0, 256, (130, 1, SIDE, SIDE), dtype=torch.uint8)  # more than one chunk
    found = predict(job.network, images, SIDE)
    assert found.shape == (130, 8)
    assert found.sum(1) == pytest.approx(1.0, abs=1e-3)
    assert found[5:6].numpy() == pytest.approx(predict(job.network, images[5:6], SIDE).numpy(), abs=1e-2)


def test_tests_see_what_serving_sees_and_judge_as_the_runner_does(config, experiment):
    asked = experiment()
    (test,) = asked.split.test
    images = list(test.images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())
    inputs = EXPRESSION.inputs(config, test, "final")
    wanted = crop_images(images, EXPRESSION.representation(config))
    assert inputs[IMAGES].numpy() == pytest.approx(wanted, abs=1e-5)
    network = EXPRESSION.network(config, 8)
    assert torch.equal(judge(EXPRESSION, network, inputs).softmax(1), predict(network, test.images, SIDE))
    assert EXPRESSION.labels(test) == [FERPLUS[row.argmax()] for row in test.shares]


@pytest.fixture
def golden(monkeypatch):
    """In place of the bundled stream's crops: noise."""
    rng = np.random.default_rng(1)
    sizes = {"fp32": 4, "int8": CANDIDATES}
    monkeypatch.setattr(
        expression,
        "golden_crops",
        lambda precision: list(rng.integers(0, 256, (sizes[precision], CROP_PX, CROP_PX, 3), dtype=np.uint8)),
    )


def test_an_exported_encoder_answers_as_it_was_trained_and_says_how_it_was_scored(
    experiment, tmp_path, golden, engines
):
    asked = experiment()
    folder = asked.fit()
    assert [row["epoch"] for row in curve(folder)] == ["1", "2"]
    assert all(0.0 <= float(row["valid_accuracy"]) <= 1.0 for row in curve(folder))
    assert asked.restored().fc.out_features == len(FERPLUS)
    manifest = asked.export(tmp_path / "engines" / "encoder", "fp32", asked.scores())
    assert check(tmp_path / "engines" / "encoder", engines).ok
    assert (manifest.task, manifest.labels, manifest.vocabulary) == ("still-expression", FERPLUS, "ferplus-8")
    assert manifest.representation == CropImages(CROP_PX, SIDE, IMAGENET_MEAN, IMAGENET_STD)
    assert (manifest.training.seed, manifest.training.epochs) == (1, 2)
    assert manifest.training.recipe["optimiser"]["batch"] == 8
    assert {spec.name: spec.shape for spec in manifest.outputs} == {"embedding": (-1, 256), "logits": (-1, 8)}
    pictures = {score.name: sum(score.counts.values()) for score in manifest.scores if score.protocol}
    assert pictures["accuracy"] == COUNTS["test"]
    assert pictures["agreed_accuracy"] == COUNTS["test"] // 2  # every second one, see `crops`
    assert "curve.csv" in manifest.files


def test_the_scores_are_of_the_test_split(experiment):
    asked = experiment()
    (test,) = asked.split.test
    right = torch.eye(8)[test.shares.argmax(1)]

    class Knowing(torch.nn.Module):
        def forward(self, images):
            return images, right[: len(images)]

    found = {score.name: score.value for score in EXPRESSION.report(asked.config, Knowing(), asked.split)}
    assert found["accuracy"] == found["agreed_accuracy"] == 1.0


def test_int8_is_calibrated_by_training_pictures_and_compared_by_those_of_the_test(
    config, experiment, golden, monkeypatch
):
    monkeypatch.setattr(expression, "CALIBRATION", 5)
    split = experiment().split
    trial, (train,), (test,) = EXPRESSION.trial(config, split), split.train, split.test
    assert trial.representation == EXPRESSION.representation(config)
    assert np.array_equal(trial.calibration, train.images[[2, 6, 10, 14, 18], 0].unsqueeze(-1).expand(-1, -1, -1, 3))
    assert np.array_equal(trial.test, test.images[:, 0].unsqueeze(-1).expand(-1, -1, -1, 3))
    assert np.array_equal(trial.truth, test.shares.argmax(1))
    assert len(EXPRESSION.golden(config, "int8")[IMAGES]) == CANDIDATES
