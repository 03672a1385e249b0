"""Dynamic expressions by a network of clips with the expression-clustering loss (see `train.losses.ecstfl`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Manifest, Precision, Score
from realtime.errors import ConfigError
from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages
from realtime.representation.event import EventFrames
from train.clips.stored import StoredClip
from train.clips.takes import draw, jittered
from train.config.old import shaping
from train.evaluation.runners import Probabilities
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods.ecstfl.c3d import C3D
from train.methods.ecstfl.clip_frames import Pictures, interpolated, shown
from train.methods.ecstfl.config import Backbone as Kind
from train.methods.ecstfl.config import EcstflConfig
from train.methods.ecstfl.r3d import R3D18
from train.methods.ecstfl.resnet_gru import ResNetGru
from train.networks import checkpoints
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_inputs
from train.sources.collection import TERMS, Collection, named, vocabulary
from train.storage.digest import digest
from train.training import loop
from train.training.augment import resized_crop
from train.training.curves import CURVE

CHUNK = 8  # clips that are judged at once
GOLDEN_ROWS = 2
Batch = tuple[Tensor, Tensor]

#: Colour statistics of Kinetics-400, which torchvision's `video.r3d_18` was trained with.
KINETICS_MEAN, KINETICS_STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network of clips: (B, 3, T, S, S) -> the feature that the loss clusters, and logits."""

    build: Callable[[int, float], nn.Module]  #: classes, dropout
    body: Callable[[nn.Module], nn.Module]  #: the part that a public checkpoint fills
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    clip: tuple[int, int] | None  #: frames and px, where no others fit


BACKBONES: dict[Kind, Backbone] = {
    "c3d": Backbone(C3D, lambda network: network, IMAGENET_MEAN, IMAGENET_STD, (16, 112)),
    "r3d18": Backbone(R3D18, lambda network: network, KINETICS_MEAN, KINETICS_STD, None),
    "resnet18-gru": Backbone(ResNetGru, attrgetter("encoder"), IMAGENET_MEAN, IMAGENET_STD, None),
}


class EcstflJob:
    """CN112101119A (Southeast University, 2020); Jiang et al. 2020, "DFEW" (ACM Multimedia, arXiv 2008.05924).

    Differences: faces are cut by the live process's stages, not by Face++ and SeetaFace; frames are picked, which the
    authors found better than temporal interpolation, unless that is asked for; the cost is a mean over the clips, not
    a sum; epochs are fixed, where the authors' code reports the best of 200 on the test. Of the backbones only C3D is
    the patent's. Its feature is taken before the dropout (see `train.methods.ecstfl.c3d`). Implements `loop.Job`.
    """

    def __init__(
        self, config: EcstflConfig, labels: tuple[str, ...], takes: Sequence[Sequence[StoredClip]], seed: int
    ) -> None:
        """`takes`: the same clips through each camera to train on."""
        torch.manual_seed(seed)
        self.config, self.takes, self.seed = config, takes, seed
        self.network = build(config, len(labels))
        self.labels = torch.tensor([labels.index(clip.sample.label) for clip in takes[0]])
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(self.labels))
        self.steps = len(self.labels) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.takes, generator), torch.randperm(len(self.labels), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            pictures = np.stack([self._frames(clips[row], generator) for row in rows.tolist()])  # (B, T, S, S, 3)
            x = torch.from_numpy(pictures).permute(0, 4, 1, 2, 3).float() / 255
            x = resized_crop(x, self.config.augment.area, self.config.size_px, generator)
            yield standardise(x, BACKBONES[self.config.backbone]), self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        clips, labels = batch
        with torch.autocast(clips.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            feature, logits = self.network(clips)
        weights = self.config.loss
        if weights.variant == "paper":
            clustering = ecstfl(feature.float(), labels, float(weights.p))
        else:
            clustering = ecstfl_official(feature.float(), labels)
        return F.cross_entropy(logits.float(), labels) + weights.weight * clustering

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: all clips of the fold are trained on, and nothing would be chosen by a score."""
        return {}

    def _frames(self, clip: StoredClip, generator: torch.Generator) -> Pictures:
        cut = replace(clip, sample=jittered(clip.sample, clip.times(), self.config.jitter_s, generator))
        return shown(_event(cut), self.config.frames, self.config.sampling, generator)


def build(config: EcstflConfig, classes: int) -> nn.Module:
    """A fresh network, from the checkpoint if one is named; ConfigError if the backbone cannot take the clips."""
    backbone = BACKBONES[config.backbone]
    if backbone.clip is not None and backbone.clip != (config.frames, config.size_px):
        raise ConfigError(
            f"{config.backbone} takes {backbone.clip[0]} frames of {backbone.clip[1]} px, frames is {config.frames} "
            f"and size_px {config.size_px}; set them so, or take another backbone"
        )
    network = backbone.build(classes, config.dropout)
    if config.initial:
        checkpoints.load(backbone.body(network), Path(config.initial))
    return network


def standardise(x: Tensor, backbone: Backbone) -> Tensor:
    """(B, 3, T, S, S) in [0, 1] -> as `crop_images` makes each frame."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (backbone.mean, backbone.std))
    return (x - mean) / std


@torch.no_grad()
def predict(network: nn.Module, config: EcstflConfig, clips: Sequence[StoredClip]) -> Tensor:
    """Class probabilities (K, C) of the events of K clips; their labels are not looked at."""
    network.eval()
    chunks = [clips[i : i + CHUNK] for i in range(0, len(clips), CHUNK)]
    rows = [network(torch.stack([_whole(clip, config) for clip in chunk]))[1].softmax(1) for chunk in chunks]
    return torch.cat(rows)


@dataclass(frozen=True, slots=True)
class EcstflFitPredict:
    """Implements `runners.FitPredict`."""

    config: EcstflConfig
    collection: Collection

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        config, rates = self.config, self.config.rates
        job = EcstflJob(config, self.collection.labels, self.collection.takes(train_ids, rates.train_hz), seed)
        network = loop.fit(job, config.optimiser, folder, config.machine)
        tests = self.collection.takes(test_ids, rates.test_hz)
        return np.stack([predict(network, config, clips).numpy() for clips in tests])


def fit(config: EcstflConfig, collection: Collection) -> Path:
    """Train on all clips, write `weights.pt` and `config.json`, and return the run's folder."""
    folder = run_folder(config, collection)
    takes = collection.takes(collection.ids(), config.rates.train_hz)
    job = EcstflJob(config, collection.labels, takes, config.seed)
    network = loop.fit(job, config.optimiser, folder, config.machine)
    torch.save(network.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: EcstflConfig, collection: Collection) -> Path:
    """Named by everything that shapes the weights."""
    shaped = (shaping(config), collection.key(), checkpoints.fingerprint(config.initial))
    return Path(config.runs) / config.name / digest(*shaped)


def restored(config: EcstflConfig, collection: Collection) -> nn.Module:
    """The network that `fit` made; DataError if there is none."""
    network = BACKBONES[config.backbone].build(len(collection.labels), config.dropout)
    network.load_state_dict(torch.load(trained(run_folder(config, collection)), weights_only=True))
    return network


def export(
    config: EcstflConfig, collection: Collection, scores: tuple[Score, ...], folder: Path, precision: Precision
) -> Manifest:
    """The engine package `folder` of the network that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of networks that were trained alike, without the people they were tested on.
    """
    if config.sampling == "tim":
        raise ConfigError(
            f'{config.name} was trained on interpolated clips (sampling = "tim"), and the live process picks frames; '
            "train it with segments or random"
        )
    network = restored(config, collection)
    representation = _representation(config, realtime_config.load().align.size_px)
    draft = Draft.of(
        folder,
        precision,
        trained_by(config, named(config.data), TERMS),
        task="dynamic-expression",
        vocabulary=vocabulary(config.data),
        labels=collection.labels,
        representation=representation,
        scores=scores,
    )
    golden = golden_inputs(representation, frames=config.frames, rows=GOLDEN_ROWS)
    return write_package(network, golden, ("feature", LOGITS), draft, folder, run_folder(config, collection) / CURVE)


def _whole(clip: StoredClip, config: EcstflConfig) -> Tensor:
    """(3, T, S, S) of frames from the event's first to its last."""
    frames, times = _event(clip), clip.times()[clip.event()]
    if config.sampling == "tim":
        frames, times = interpolated(frames, config.frames), np.linspace(times[0], times[-1], config.frames)
    made = _representation(config, frames.shape[1])
    return torch.from_numpy(made.of_event(EventFrames(times, images=frames), clip.sample.apex_s)[CLIPS])[0]


def _event(clip: StoredClip) -> Pictures:
    """The crops from onset to offset, on disk."""
    inside = clip.event()
    return clip.crops()[inside.start : inside.stop]


def _representation(config: EcstflConfig, crop_px: int) -> ClipImages:
    backbone = BACKBONES[config.backbone]
    return ClipImages(config.frames, CropImages(crop_px, config.size_px, backbone.mean, backbone.std))
