"""The network whose encoder is trained along: what stays still, what a step shows it, and what its package holds."""

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.check import check
from realtime.errors import ConfigError, DataError
from realtime.labels import MEGC3
from realtime.representation.clip_images import CLIPS
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from realtime.representation.embedding_sequence import spread
from realtime.representation.sampled_clip import SampledClip
from train import registry
from train.methods.cmn import trained
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.trained import CmnClips
from train.methods.experiment import Experiment
from train.networks.resnet import ResNet

CMN = registry.METHODS["cmn"]
PAPER = [ROOT / "configs/methods/paper-cmn.toml", ROOT / "configs/data/casme2-5.toml"]
SIDE = 24


def thin(classes, dropout=0.0):
    """A ResNet of a few channels, in place of ResNet-18."""
    stem = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
    return ResNet(stem, nn.Identity(), (4, 6, 8, 12), (1, 2, 2, 2), 1, classes, dropout)


@pytest.fixture(scope="module")
def at_hand(at_hand, tmp_path_factory):
    """Clips that are in memory, as crops of the live size, and weights to go on from."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "thin.pt"
    torch.save(thin(8).state_dict(), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trained, "ResNet18", thin)
        yield str(path)


@pytest.fixture(scope="module")
def asked(at_hand, clips, shipped, given_clips, tmp_path_factory):
    """An experiment of two epochs, with other settings by their names."""
    folder = tmp_path_factory.mktemp("trained")
    paper = registry.load(PAPER).method
    small = {"frames": 4, "negatives": 2, "size_px": SIDE, "epochs": 2, "initial": at_hand}
    files = {"cache": str(folder / "cache"), "runs": str(folder / "runs")}

    def make(**changes):
        method = msgspec.structs.replace(paper, **(small | files | changes))
        recipe = shipped()
        return Experiment(CMN, type(recipe)(method, recipe.source), given_clips(some(clips), MEGC3, name="megc-3"))

    return make


def some(clips):
    return [clip for clip in clips if int(clip.sample.id.split("-")[1]) < 3]


@pytest.fixture(scope="module")
def job_of(asked):
    def make(**changes):
        found = asked(**changes)
        [(job, _)] = CMN.stages(found.config, found.split, found.source, 1)
        return job

    return make


def test_the_patents_settings_have_no_second_input_and_train_the_encoder():
    paper = registry.load(PAPER).method
    assert (paper.encoder_trained, paper.motion.cells, paper.reference, paper.early.share) == ("all", 0, "none", 0.0)
    assert CMN.representation(paper).inputs()[0].shape == (-1, 3, 8, 224, 224)


@pytest.mark.parametrize(
    ("change", "said"), [("motion.cells=7", "set motion.cells = 0"), ("initial=", "initial names none")]
)
def test_what_cannot_be_trained_is_refused_before_any_clip_is_read(change, said):
    with pytest.raises(ConfigError, match=said):
        registry.load(PAPER, [change])
    with pytest.raises(DataError, match="no checkpoint"):
        CMN.network(registry.load(PAPER).method, 5)


def test_layer4_alone_moves_or_everything(asked):
    still = {}
    for part in ("layer4", "all"):
        run = asked(encoder_trained=part, epochs=1)
        before = {name: value.clone() for name, value in CMN.network(run.config, 3).encoder.state_dict().items()}
        run.fit()
        after = run.restored().encoder.state_dict()
        still[part] = {name.split(".")[0] for name, value in after.items() if torch.equal(value, before[name])}
    assert still["layer4"] == {"conv1", "bn1", "layer1", "layer2", "layer3"}
    assert not still["all"]


def test_negatives_and_views_go_through_the_encoder_and_teach_it(job_of):
    job = job_of()
    batch = next(iter(job.batches(0)))
    for weights in ({"intra": 1.0}, {"inter": 1.0}, {"classify": 1.0}):
        none = {"intra": 0.0, "inter": 0.0, "classify": 0.0}
        job.config = msgspec.structs.replace(
            job.config, loss=msgspec.structs.replace(job.config.loss, **(none | weights))
        )
        job.network.zero_grad()
        job.loss(batch).backward()
        assert float(job.network.encoder.conv1.weight.grad.abs().sum()) > 0, weights
    negatives = batch.negatives.clone().requires_grad_(True)
    job.config = msgspec.structs.replace(job.config, loss=msgspec.structs.replace(job.config.loss, intra=1.0))
    job.loss(batch._replace(negatives=negatives)).backward()
    assert float(negatives.grad.abs().sum()) > 0


def test_a_step_shows_two_views_of_the_source_frames_and_other_frames_as_they_are(job_of):
    views = msgspec.structs.replace(registry.load(PAPER).method.views, noise=0.0, grey_probability=0.0)
    job = job_of(views=views)
    batch = next(iter(job.batches(0)))
    assert batch.views.shape == (16, 2, 4, 3, SIDE, SIDE)
    assert torch.equal(batch.views[:, 0], batch.views[:, 1])  # of one intensity: neither noise nor colour is drawn
    assert torch.equal(batch.first[:, 0, 0], batch.views[:, 0, 0])
    for k in range(3):
        rows = [job.events.clips[i] for i, label in enumerate(job.labels) if label == batch.labels[k]]
        frames = {crop_images([image], job.picture).tobytes() for clip, span in rows for image in clip.images[span]}
        assert {picture.numpy().tobytes() for picture in batch.negatives[k].flatten(0, 1)} <= frames
    noisy = next(iter(job_of().batches(0)))
    assert not torch.equal(noisy.views[:, 0], noisy.views[:, 1])


def test_the_loss_is_the_heads_on_what_the_encoder_makes_of_the_pictures(job_of):
    job = job_of()
    job.network.eval()  # else the encoder normalises by the pictures that it sees together
    batch = next(iter(job.batches(0)))
    embedded = batch._replace(
        views=job.network.embed(batch.views),
        first=job.network.embed(batch.first),
        negatives=job.network.embed(batch.negatives),
    )
    wanted = super(type(job), job).loss(embedded)
    assert job.loss(batch).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_the_frozen_encoder_chooses_negatives_whatever_the_other_has_become(job_of, asked, at_hand):
    job = job_of()
    g = trained.frozen(at_hand)
    clip, span = job.events.clips[0]
    with torch.no_grad():
        wanted = g.embed(torch.from_numpy(crop_images(list(clip.images[span]), job.picture)))
        job.network.encoder.conv1.weight.zero_()
    assert job.events.clean[: len(wanted)].numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    assert job.events.clean.std() > 0


def test_it_is_asked_as_serving_asks_it_at_the_end_and_early(asked):
    run = asked()
    (test,) = run.split.test
    for answer, until in (("final", lambda s: s.offset_s), ("early", lambda s: min(s.apex_s + 0.075, s.offset_s))):
        found = CMN.inputs(run.config, test, answer)[CLIPS]
        assert found.shape == (len(test), 3, 4, SIDE, SIDE)
        for row, clip in zip(found[:4], test[:4], strict=True):
            inside = (clip.times >= clip.sample.onset_s) & (clip.times <= until(clip.sample))
            images = clip.images[inside]
            wanted = crop_images(
                [images[i] for i in spread(len(images), 4)], CropImages(128, SIDE, IMAGENET_MEAN, IMAGENET_STD)
            )
            assert np.array_equal(row.transpose(0, 1).numpy(), wanted)
    assert CMN.inputs(run.config, [], "final")[CLIPS].shape == (0, 3, 4, SIDE, SIDE)


def test_cmnets_head_goes_on_the_encoder_as_well(asked):
    network = CMN.network(asked(head="cmnet").config, 3)
    assert isinstance(network, CmnClips)
    assert isinstance(network.head, CmnetHead)


def test_a_run_becomes_a_package_of_pictures_that_answers_as_torch_does(asked, golden_of, engines, tmp_path):
    run = asked()
    run.fit()
    side = realtime_config.load().align.size_px
    golden_of(list(np.random.default_rng(5).integers(0, 256, (6, side, side, 3), dtype=np.uint8)))
    made = run.export(tmp_path / "engines/cmn", "fp32", run.scores())
    assert check(tmp_path / "engines/cmn", engines).ok
    assert made.representation == SampledClip(4, CropImages(side, SIDE, IMAGENET_MEAN, IMAGENET_STD), "centres")
    assert "step.onnx" not in made.files
    with np.load(tmp_path / "engines/cmn/golden.npz") as golden, torch.no_grad():
        logits, _ = run.restored()(torch.from_numpy(golden["in_clips"]).float())
        assert golden["out_logits"] == pytest.approx(logits.numpy(), rel=1e-2, abs=2e-3)
