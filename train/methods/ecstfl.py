"""Dynamic expressions by a network of clips with the expression-clustering loss (see `train.losses.ecstfl`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import ConfigError
from realtime.preprocess import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train import config as configs
from train import loop
from train.augment import resized_crop
from train.clip_frames import draw, spread
from train.collection import Collection
from train.config import EcstflConfig
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.networks import checkpoints
from train.networks.c3d import C3D
from train.networks.r3d import R3D18
from train.networks.resnet_gru import ResNetGru
from train.runners import Probabilities
from train.stored import StoredClip

CHUNK = 8  # clips that are judged at once
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


BACKBONES: dict[configs.Backbone, Backbone] = {
    "c3d": Backbone(C3D, lambda network: network, IMAGENET_MEAN, IMAGENET_STD, (16, 112)),
    "r3d18": Backbone(R3D18, lambda network: network, KINETICS_MEAN, KINETICS_STD, None),
    "resnet18-gru": Backbone(ResNetGru, attrgetter("encoder"), IMAGENET_MEAN, IMAGENET_STD, None),
}


class EcstflJob:
    """CN112101119A (Southeast University, 2020); Jiang et al. 2020, "DFEW" (ACM Multimedia, arXiv 2008.05924).

    Differences: faces are cut by the live process's stages, not by Face++ and SeetaFace; frames are picked, which
    the authors found better than temporal interpolation; the cost is a mean over the clips, not a sum; epochs are
    fixed, where the authors' code reports the best of 200 on the test. Of the backbones only C3D is the patent's.
    Its feature is taken before the dropout (see `train.networks.c3d`). Implements `loop.Job`.
    """

    def __init__(self, config: EcstflConfig, labels: tuple[str, ...], clips: Sequence[StoredClip], seed: int) -> None:
        torch.manual_seed(seed)
        self.config, self.clips, self.seed = config, clips, seed
        self.network = build(config, len(labels))
        self.labels = torch.tensor([labels.index(clip.sample.label) for clip in clips])
        self.events = [clip.event() for clip in clips]
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(clips))
        self.steps = len(clips) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        order = torch.randperm(len(self.clips), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            pictures = np.stack([self._frames(row, generator) for row in rows.tolist()])  # (B, T, S, S, 3)
            x = torch.from_numpy(pictures).permute(0, 4, 1, 2, 3).float() / 255
            x = resized_crop(x, self.config.augment.area, self.config.size_px, generator)
            yield standardise(x, BACKBONES[self.config.backbone]), self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        clips, labels = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bf16"):
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

    def _frames(self, row: int, generator: torch.Generator) -> npt.NDArray[np.uint8]:
        """(T, S, S, 3)."""
        inside = self.events[row]
        chosen = draw(len(inside), self.config.frames, self.config.sampling, generator)
        return np.take(self.clips[row].crops(), inside.start + chosen.numpy(), axis=0)


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
    """(B, 3, T, S, S) in [0, 1] -> as `preprocess.crop_images` makes each frame."""
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
        job = EcstflJob(self.config, self.collection.labels, self.collection.of(train_ids), seed)
        network = loop.fit(job, self.config.optimiser, folder)
        found: Probabilities = predict(network, self.config, self.collection.of(test_ids)).numpy()
        return found


def fit(config: EcstflConfig, collection: Collection) -> Path:
    """Train on all clips, write `weights.pt` and `config.json`, and return the run's folder."""
    shaped = (config, collection.key(), checkpoints.fingerprint(config.initial))
    folder = Path(config.runs) / config.name / configs.digest(*shaped)
    network = loop.fit(EcstflJob(config, collection.labels, collection.clips, config.seed), config.optimiser, folder)
    torch.save(network.state_dict(), folder / "weights.pt")
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def _whole(clip: StoredClip, config: EcstflConfig) -> Tensor:
    """(3, T, S, S) of frames spread over the event."""
    inside, backbone = clip.event(), BACKBONES[config.backbone]
    frames = clip.crops()[inside.start + spread(len(inside), config.frames).numpy()]
    pictures = CropImages(frames.shape[1], config.size_px, backbone.mean, backbone.std)
    return torch.from_numpy(crop_images(list(frames), pictures)).transpose(0, 1)
