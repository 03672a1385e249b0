import csv
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from realtime.engine.check import check
from realtime.errors import DataError
from realtime.labels import FERPLUS
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.config.sections import Machine, Optimiser, Stage
from train.methods.expression import expression
from train.methods.expression.config import Augment, ExpressionConfig, Teaching
from train.methods.expression.expression import (
    ExpressionJob,
    Stills,
    network_of,
    predict,
    resize,
    run_folder,
)
from train.networks.resnet import ResNet10, ResNet18
from train.packaging.golden import CANDIDATES
from train.training.augment import standardise

COUNTS = {"train": 20, "valid": 10, "test": 10}
SIDE = 32  # at 16 px, where maps of one pixel are convolved, torch 2.13 gives gradients of garbage in bfloat16


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks of this size are slower on two threads, and much slower when something else runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config(tmp_path):
    return ExpressionConfig(
        seed=1,
        name="encoder",
        ferplus=str(tmp_path / "ferplus.npz"),
        cache=str(tmp_path / "cache"),
        runs=str(tmp_path / "runs"),
        crop_px=48,
        network="resnet10",
        precision="bf16",
        dropout=0.1,
        sampling=0.0,
        prior=0.0,
        stages=(Stage(epochs=1, size_px=24), Stage(epochs=1, size_px=SIDE)),
        optimiser=Optimiser(kind="sgd", rate=0.02, weight_decay=1e-4, batch=8, warmup=0.1, average=0.9),
        machine=Machine(accelerator="cpu", devices=1),
        augment=Augment(turn_deg=5.0, scale=0.05, shift=0.02, contrast=0.2, tint=0.1, hide=0.2, soften=0.5, noise=0.02),
        teaching=Teaching(engines=(), weight=0.0),
    )


@pytest.fixture(autouse=True)
def crops(monkeypatch):
    """Faces that are told apart by their brightness; the splits that were asked for."""
    asked = []

    def made(path, split, crop_px, size_px, cache, workers):
        asked.append(split)
        rng = np.random.default_rng(len(split))
        classes = rng.integers(0, 2, COUNTS[split])
        images = rng.integers(0, 60, (COUNTS[split], size_px, size_px)) + 180 * classes[:, None, None]
        targets = np.eye(len(FERPLUS), dtype=np.float32)[classes]
        return images.astype(np.uint8), SimpleNamespace(targets=targets, agreed=np.arange(len(images)) % 2 == 0)

    monkeypatch.setattr("train.methods.expression.expression.ferplus_crops", made)
    return asked


def curve(folder):
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return torch.load(folder / "weights.pt", weights_only=True)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_prepare_cuts_all_three_splits(config, crops):
    assert str(expression.prepare(config)) == config.cache
    assert crops == ["train", "valid", "test"]


def test_pictures_are_made_as_the_live_process_makes_them():
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    found = standardise(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    wanted = crop_images(list(images), CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD))
    assert found.numpy() == pytest.approx(wanted, abs=1e-5)


def test_pictures_shrink_by_area():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert resize(x, 2)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert resize(x, 4) is x


def test_the_stages_follow_each_other_at_their_sizes(config):
    job = ExpressionJob(config)
    assert (job.epochs, job.steps, job.sizes) == (2, 2, [24, SIDE])
    for epoch, size in enumerate(job.sizes):
        assert [tuple(images.shape) for images, _ in job.batches(epoch)] == [(8, 3, size, size)] * 2


def test_an_epoch_has_the_same_batches_whenever_it_is_asked_for_and_others_than_another(config):
    job = ExpressionJob(config)
    first, again, other = (list(job.batches(epoch)) for epoch in (1, 1, 0))
    for (images, shares), (images_again, shares_again) in zip(first, again, strict=True):
        assert torch.equal(images, images_again)
        assert torch.equal(shares, shares_again)
    assert not all(torch.equal(one[1], another[1]) for one, another in zip(first, other, strict=True))


def test_fewer_pictures_than_a_batch_make_one_smaller_batch(config):
    large = msgspec.structs.replace(config, optimiser=msgspec.structs.replace(config.optimiser, batch=64))
    job = ExpressionJob(large)
    assert job.steps == 1
    assert [len(shares) for _, shares in job.batches(0)] == [COUNTS["train"]]


def test_the_configuration_chooses_the_network(config):
    assert isinstance(network_of(config), ResNet10)
    assert isinstance(network_of(msgspec.structs.replace(config, network="resnet18")), ResNet18)


def test_what_is_rare_is_drawn_as_often_as_the_configuration_says(config):
    job = ExpressionJob(config)
    job.train.images, often = torch.zeros(10_000, 1, SIDE, SIDE, dtype=torch.uint8), torch.tensor([0.9, 0.1])
    labels = (torch.arange(10_000) % 10 == 0).long()
    job.train.shares = torch.eye(8)[labels]
    job.often = torch.cat([often, torch.zeros(6)])
    for sampling, share in ((0.0, 0.1), (0.5, 0.25), (1.0, 0.5)):  # 0.1**0.5 / (0.1**0.5 + 0.9**0.5) = 0.25
        job.config = msgspec.structs.replace(config, sampling=sampling)
        drawn = labels[job._order(torch.Generator().manual_seed(1))]
        assert len(drawn) == 10_000
        assert float(drawn.float().mean()) == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(("sampling", "prior"), [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (1.0, 0.3)])
def test_logits_that_are_learned_expect_each_expression_as_often_as_the_prior_says(config, sampling, prior):
    """A network that sees nothing can do no better than to say how often it expects each."""
    job = ExpressionJob(msgspec.structs.replace(config, sampling=sampling, prior=prior, precision="f32"))
    job.often = torch.tensor([0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.01, 0.01])
    drawn = job.often ** (1.0 - sampling) / (job.often ** (1.0 - sampling)).sum()
    wanted = job.often ** (1.0 - prior) / (job.often ** (1.0 - prior)).sum()
    logits = wanted.log()[None].requires_grad_()
    job.network = lambda images: (None, logits)
    job.loss((torch.zeros(1, 3, SIDE, SIDE), drawn[None])).backward()
    assert logits.grad.abs().max() < 1e-6  # the least that the loss can be


def test_teachers_share_in_what_is_learned(config, monkeypatch):
    said = np.tile(np.eye(8, dtype=np.float32)[5], (COUNTS["train"], 1))
    asked = []

    def taught(engines, crops, crop_px, cache):
        asked.append((engines, crops(24).shape, crop_px))
        return said

    monkeypatch.setattr("train.methods.expression.expression.taught", taught)
    teaching = Teaching(engines=("engines/one", "engines/two"), weight=0.25)
    job = ExpressionJob(msgspec.structs.replace(config, teaching=teaching))
    assert asked == [(("engines/one", "engines/two"), (COUNTS["train"], 24, 24), 48)]
    assert job.targets == pytest.approx(0.75 * job.train.shares + 0.25 * torch.from_numpy(said))
    _, targets = next(job.batches(0))
    assert targets[:, 5] == pytest.approx(0.25)
    assert torch.equal(ExpressionJob(config).targets, job.train.shares)


def test_predictions_are_probabilities_in_the_order_of_the_pictures(config):
    job = ExpressionJob(config)
    images = torch.randint(0, 256, (130, 1, SIDE, SIDE), dtype=torch.uint8)  # more than one chunk
    found = predict(job.network, images, SIDE)
    assert found.shape == (130, 8)
    assert found.sum(1) == pytest.approx(1.0, abs=1e-3)
    assert found[5:6].numpy() == pytest.approx(predict(job.network, images[5:6], SIDE).numpy(), abs=1e-2)


def test_it_trains_and_writes_weights_and_curve_into_the_runs_folder(config, crops):
    folder = expression.fit(config)
    assert folder == run_folder(config)
    assert [row["epoch"] for row in curve(folder)] == ["1", "2"]
    assert all(0.0 <= float(row["valid_accuracy"]) <= 1.0 for row in curve(folder))
    assert "test" not in crops  # which is looked at once, by the export
    assert weights(folder)["fc.weight"].shape[0] == len(FERPLUS)


def test_a_killed_training_ends_in_the_same_weights(config, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    whole = weights(expression.fit(config))
    other = msgspec.structs.replace(config, runs=str(tmp_path / "killed"))
    batches = ExpressionJob.batches

    def killed(self, epoch):
        if epoch == 1:
            raise Killed
        return batches(self, epoch)

    monkeypatch.setattr(ExpressionJob, "batches", killed)
    with pytest.raises(Killed):
        expression.fit(other)
    assert not (run_folder(other) / "weights.pt").exists()
    monkeypatch.setattr(ExpressionJob, "batches", batches)
    assert same(weights(expression.fit(other)), whole)


def test_what_shapes_the_weights_names_the_run(config):
    other = msgspec.structs.replace(config, seed=2)
    assert run_folder(other) != run_folder(config)
    assert run_folder(other).parent == run_folder(config).parent


def test_where_it_is_trained_does_not_name_the_run_but_on_how_many_devices_does(config):
    moved, shared = (
        msgspec.structs.replace(config, machine=machine)
        for machine in (Machine(accelerator="cuda", devices=1), Machine(accelerator="cpu", devices=2))
    )
    assert run_folder(moved) == run_folder(config) != run_folder(shared)


def test_export_refuses_before_the_training_and_says_what_to_do(config, tmp_path, crops):
    with pytest.raises(DataError, match=r"no .*weights\.pt: train first, with python -m train fit"):
        expression.export(config, tmp_path / "engines" / "encoder", "fp32")
    assert not (tmp_path / "engines").exists()
    assert crops == []


@pytest.fixture
def golden(monkeypatch):
    """In place of the bundled stream's crops: noise."""
    rng = np.random.default_rng(1)
    sizes = {"fp32": 4, "int8": CANDIDATES}
    monkeypatch.setattr(
        "train.methods.expression.expression.golden_crops",
        lambda precision: list(rng.integers(0, 256, (sizes[precision], 48, 48, 3), dtype=np.uint8)),
    )


def test_an_exported_encoder_answers_as_it_was_trained_and_says_how_it_was_scored(
    config, tmp_path, crops, golden, engines
):
    expression.fit(config)
    manifest = expression.export(config, tmp_path / "engines" / "encoder", "fp32")
    assert crops.count("test") == 1
    assert check(tmp_path / "engines" / "encoder", engines).ok
    assert manifest.labels == FERPLUS
    assert manifest.representation == CropImages(48, SIDE, IMAGENET_MEAN, IMAGENET_STD)
    assert (manifest.training.seed, manifest.training.epochs) == (1, 2)
    assert manifest.training.recipe["optimiser"]["batch"] == 8
    assert {spec.name: spec.shape for spec in manifest.outputs} == {"embedding": (-1, 256), "logits": (-1, 8)}
    pictures = {score.name: sum(score.counts.values()) for score in manifest.scores if score.protocol}
    assert pictures["accuracy"] == COUNTS["test"]
    assert pictures["agreed_accuracy"] == COUNTS["test"] // 2  # every second one, see `crops`
    assert "curve.csv" in manifest.files


def test_int8_is_calibrated_by_training_pictures_and_compared_by_those_of_the_test(config, monkeypatch, golden, crops):
    monkeypatch.setattr(expression, "CALIBRATION", 5)
    monkeypatch.setattr(expression, "trained", lambda folder: folder)
    monkeypatch.setattr("torch.load", lambda *_, **__: ResNet10(len(FERPLUS)).state_dict())
    monkeypatch.setattr(expression, "write_package", lambda *given, trial: (given, trial))
    (_, example, _, draft, _, _), trial = expression.export(config, Path("encoder-int8"), "int8")
    assert (draft.name, draft.precision, trial.representation) == ("encoder-int8", "int8", draft.representation)
    assert len(example["images"]) == CANDIDATES
    train, test = Stills(config, "train"), Stills(config, "test")
    assert np.array_equal(trial.calibration, train.images[[2, 6, 10, 14, 18], 0].unsqueeze(-1).expand(-1, -1, -1, 3))
    assert np.array_equal(trial.test, test.images[:, 0].unsqueeze(-1).expand(-1, -1, -1, 3))
    assert np.array_equal(trial.truth, test.shares.argmax(1))
    _, without = expression.export(config, Path("encoder"), "fp32")
    assert without is None
