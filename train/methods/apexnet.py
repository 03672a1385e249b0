"""One picture of the movement's peak, judged by SE-ResNeXt-50 with focal loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from realtime.errors import ConfigError, DataError
from realtime.manifest import Manifest, Score, Training
from realtime.preprocess import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from realtime.records import Image
from train import loop
from train.augment import grey, similarity
from train.collection import TERMS, Collection, named
from train.config import ApexnetConfig, digest
from train.export import Draft, vocabulary_of
from train.export import export as write_package
from train.losses.focal import focal, inverse_frequency
from train.methods.expression import standardise
from train.networks import checkpoints
from train.networks.se_resnext import REN, STANDARD, Blocks, SeResNeXt50
from train.prepare import sample_crops
from train.runners import CURVE, Probabilities
from train.stored import StoredClip

BLOCKS: dict[str, Blocks] = {"standard": STANDARD, "ren": REN}
CHUNK = 32  # pictures that are judged at once
OPSET = 20
GOLDEN_ROWS = 4

Batch = tuple[Tensor, Tensor]
Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]

IMAGENET: Statistics = (IMAGENET_MEAN, IMAGENET_STD)
UNIT: Statistics = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # numbers in [0, 1], as the augmentation wants them


class FrozenNorm(SeResNeXt50):
    """Its batch normalisation always uses the statistics that it was loaded with; scale and shift are learnt."""

    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class ApexnetJob:
    """Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003), with the apex finder of Quang et al. 2019.

    Differences: SGD and a batch of 16 by default, for Adam and a batch of 2, which batch normalisation does
    not bear; 3-4-6-3 blocks unless their table's are asked for (see `train.networks.se_resnext`); faces are cut by the
    live process's stages, and a crop of 128 px is enlarged to the network's 224. Implements `loop.Job`.
    """

    def __init__(
        self,
        config: ApexnetConfig,
        labels: tuple[str, ...],
        clips: Sequence[StoredClip],
        frames: Mapping[str, int],
        seed: int,
    ) -> None:
        torch.manual_seed(seed)
        self.config, self.seed = config, seed
        self.network: nn.Module = build(config, len(labels))
        self.pictures = pictures(clips, frames)
        self.labels = torch.tensor([labels.index(clip.sample.label) for clip in clips])
        counts = torch.bincount(self.labels, minlength=len(labels))
        self.alpha = inverse_frequency(counts) if config.loss.alpha == "inverse-frequency" else None
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(clips))
        self.steps = len(clips) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        augment, generator = self.config.augment, torch.Generator().manual_seed(self.seed * 1000 + epoch)
        order = torch.randperm(len(self.labels), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            chosen = [self.pictures[row] for row in rows.tolist()]
            x = torch.from_numpy(crop_images(chosen, _representation(self.config, chosen[0], UNIT)))
            x = similarity(x, augment.turn_deg, 0.0, 0.0, generator)
            yield standardise(grey(x, augment.grey_probability, generator)), self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        return focal(logits.float(), labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: all clips of the fold are trained on, and nothing would be chosen by a score."""
        return {}


def build(config: ApexnetConfig, classes: int) -> SeResNeXt50:
    """A fresh network, from the checkpoint if one is named; ConfigError if statistics of none would be frozen."""
    if config.frozen_norm and not config.initial:
        raise ConfigError("frozen_norm = true keeps a checkpoint's statistics, and initial names none; name one")
    kind = FrozenNorm if config.frozen_norm else SeResNeXt50
    network = kind(classes, BLOCKS[config.blocks], config.dropout)
    if config.initial:
        checkpoints.load(network, Path(config.initial))
    return network


def pictures(clips: Sequence[StoredClip], frames: Mapping[str, int]) -> list[Image]:
    """The crop uint8 (S, S, 3) of each clip at the frame that `apex_frames.choose` found."""
    return [np.array(clip.crops()[frames[clip.case.id]]) for clip in clips]


@torch.no_grad()
def predict(network: nn.Module, config: ApexnetConfig, images: Sequence[Image]) -> Tensor:
    """Class probabilities (K, C) of K crops."""
    network.eval()
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]
    inputs = (torch.from_numpy(crop_images(chunk, _representation(config, chunk[0], IMAGENET))) for chunk in chunks)
    return torch.cat([network(x)[1].softmax(1) for x in inputs])


@dataclass(frozen=True, slots=True)
class ApexnetFitPredict:
    """Implements `runners.FitPredict`."""

    config: ApexnetConfig
    collection: Collection
    frames: Mapping[str, int]  #: of `apex_frames.choose`, for every case

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        train, test = self.collection.of(train_ids), self.collection.of(test_ids)
        job = ApexnetJob(self.config, self.collection.labels, train, self.frames, seed)
        network = loop.fit(job, self.config.optimiser, folder)
        found: Probabilities = predict(network, self.config, pictures(test, self.frames)).numpy()
        return found


def fit(config: ApexnetConfig, collection: Collection, frames: Mapping[str, int]) -> Path:
    """Train on all clips, write `weights.pt` and `config.json`, and return the run's folder."""
    folder = run_folder(config, collection)
    job = ApexnetJob(config, collection.labels, collection.clips, frames, config.seed)
    network = loop.fit(job, config.optimiser, folder)
    torch.save(network.state_dict(), folder / "weights.pt")
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: ApexnetConfig, collection: Collection) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(config, collection.key(), checkpoints.fingerprint(config.initial))


def export(config: ApexnetConfig, collection: Collection, scores: tuple[Score, ...], folder: Path) -> Manifest:
    """The engine package `folder` of the network that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of networks that were trained alike, without the people they were tested on.
    """
    vocabulary = vocabulary_of(collection.labels)
    run = run_folder(config, collection)
    if not (run / "weights.pt").is_file():
        raise DataError(f"no {run / 'weights.pt'}: train first, with python -m train fit and the same configuration")
    network = SeResNeXt50(len(collection.labels), BLOCKS[config.blocks], config.dropout)
    network.load_state_dict(torch.load(run / "weights.pt", weights_only=True))
    golden = sample_crops(GOLDEN_ROWS)
    representation = _representation(config, golden[0], IMAGENET)
    draft = Draft(
        name=config.name,
        method="apexnet",
        task="micro-expression",
        vocabulary=vocabulary,
        representation=representation,
        opset=OPSET,
        training=Training(named(config.data), TERMS, msgspec.to_builtins(config), config.seed, config.epochs),
        scores=scores,
    )
    images = torch.from_numpy(crop_images(golden, representation))
    return write_package(network, {"images": images}, ("embedding", "logits"), draft, folder, run / CURVE)


def _representation(config: ApexnetConfig, crop: Image, statistics: Statistics) -> CropImages:
    return CropImages(crop.shape[0], config.size_px, *statistics)
