"""One picture of a recorded movement's peak, judged by SE-ResNeXt-50 with focal loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from realtime.engine.package.manifest import Manifest, Precision, Score
from realtime.errors import ConfigError
from realtime.records import Image
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.clips.stored import StoredClip
from train.clips.takes import draw, near
from train.config.old import shaping
from train.evaluation.runners import Probabilities
from train.losses.focal import focal, inverse_frequency
from train.methods.apexnet.config import ApexnetRecordedConfig
from train.methods.apexnet.se_resnext import REN, STANDARD, Blocks, SeResNeXt
from train.networks import checkpoints
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_crops
from train.packaging.quantise import Trial
from train.sources.collection import TERMS, Collection, named, vocabulary
from train.storage.digest import digest
from train.training import loop
from train.training.augment import grey, similarity, standardise
from train.training.curves import CURVE

BLOCKS: dict[str, Blocks] = {"standard": STANDARD, "ren": REN}
CHUNK = 32  # pictures that are judged at once
TRIAL = (
    "every second apex frame of the clips that it was trained on; the others calibrated it: what INT8 changes, and not "
    "how good the network is"
)

Batch = tuple[Tensor, Tensor]
Apexes = Mapping[float, Mapping[str, int]]  #: of each rate and case, by `apex_frames.choose`
Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]

IMAGENET: Statistics = (IMAGENET_MEAN, IMAGENET_STD)
UNIT: Statistics = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # numbers in [0, 1], as the augmentation wants them


@dataclass(frozen=True, slots=True)
class Shot:
    """A clip and its apex."""

    clip: StoredClip
    frame: int  #: counted from the clip's first

    def picture(self) -> Image:
        """The crop uint8 (S, S, 3)."""
        return np.array(self.clip.crops()[self.frame])


class FrozenNorm(SeResNeXt):
    """Its batch normalisation always uses the statistics that it was loaded with; scale and shift are learnt."""

    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class ApexnetJob:
    """Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003), with the apex finder of Quang et al. 2019.

    Differences: SGD and a batch of 16 by default, for Adam and a batch of 2, which batch normalisation does not bear;
    3-4-6-3 blocks unless their table's are asked for (see `train.methods.apexnet.se_resnext`); faces are cut by the
    live process's stages, and a crop of 128 px is enlarged to the network's 224. Implements `loop.Job`.
    """

    def __init__(
        self,
        config: ApexnetRecordedConfig,
        labels: tuple[str, ...],
        takes: Sequence[Sequence[Shot]],
        seed: int,
    ) -> None:
        """`takes`: the same clips through each camera to train on."""
        torch.manual_seed(seed)
        self.config, self.takes, self.seed = config, takes, seed
        self.network: nn.Module = build(config, len(labels))
        self.labels = torch.tensor([labels.index(shot.clip.sample.label) for shot in takes[0]])
        counts = torch.bincount(self.labels, minlength=len(labels))
        self.alpha = inverse_frequency(counts) if config.loss.alpha == "inverse-frequency" else None
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(self.labels))
        self.steps = len(self.labels) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        augment, generator = self.config.augment, torch.Generator().manual_seed(self.seed * 1000 + epoch)
        shots, order = draw(self.takes, generator), torch.randperm(len(self.labels), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            chosen = [self._picture(shots[row], generator) for row in rows.tolist()]
            x = torch.from_numpy(crop_images(chosen, _representation(self.config, chosen[0], UNIT)))
            x = similarity(x, augment.turn_deg, 0.0, 0.0, generator)
            yield standardise(grey(x, augment.grey_probability, generator)), self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        return focal(logits.float(), labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: all clips of the fold are trained on, and nothing would be chosen by a score."""
        return {}

    def _picture(self, shot: Shot, generator: torch.Generator) -> Image:
        times, inside = shot.clip.times(), shot.clip.event()
        return replace(shot, frame=near(shot.frame, times, inside, self.config.jitter_s, generator)).picture()


def build(config: ApexnetRecordedConfig, classes: int) -> SeResNeXt:
    """A fresh network, from the checkpoint if one is named; ConfigError if statistics of none would be frozen."""
    if config.frozen_norm and not config.initial:
        raise ConfigError("frozen_norm = true keeps a checkpoint's statistics, and initial names none; name one")
    kind = FrozenNorm if config.frozen_norm else SeResNeXt
    network = kind(classes, BLOCKS[config.blocks], config.dropout)
    if config.initial:
        checkpoints.load(network, Path(config.initial))
    return network


def shots(collection: Collection, apexes: Apexes, ids: Sequence[str], rate_hz: float) -> list[Shot]:
    """The clips of these cases at one of the rates, each with its apex."""
    return [Shot(clip, apexes[rate_hz][clip.case.id]) for clip in collection.of(ids, rate_hz)]


@torch.no_grad()
def predict(network: nn.Module, config: ApexnetRecordedConfig, images: Sequence[Image]) -> Tensor:
    """Class probabilities (K, C) of K crops."""
    network.eval()
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]
    inputs = (torch.from_numpy(crop_images(chunk, _representation(config, chunk[0], IMAGENET))) for chunk in chunks)
    return torch.cat([network(x)[1].softmax(1) for x in inputs])


@dataclass(frozen=True, slots=True)
class ApexnetFitPredict:
    """Implements `runners.FitPredict`."""

    config: ApexnetRecordedConfig
    collection: Collection
    apexes: Apexes

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path) -> Probabilities:
        config, rates = self.config, self.config.rates
        job = ApexnetJob(config, self.collection.labels, [self._shots(train_ids, hz) for hz in rates.train_hz], seed)
        network = loop.fit(job, config.optimiser, folder, config.machine)
        tests = ([shot.picture() for shot in self._shots(test_ids, hz)] for hz in rates.test_hz)
        return np.stack([predict(network, config, pictures).numpy() for pictures in tests])

    def _shots(self, ids: Sequence[str], rate_hz: float) -> list[Shot]:
        return shots(self.collection, self.apexes, ids, rate_hz)


def fit(config: ApexnetRecordedConfig, collection: Collection, apexes: Apexes) -> Path:
    """Train on all clips, write `weights.pt` and `config.json`, and return the run's folder."""
    folder = run_folder(config, collection)
    takes = [shots(collection, apexes, collection.ids(), rate_hz) for rate_hz in config.rates.train_hz]
    job = ApexnetJob(config, collection.labels, takes, config.seed)
    network = loop.fit(job, config.optimiser, folder, config.machine)
    torch.save(network.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    return folder


def run_folder(config: ApexnetRecordedConfig, collection: Collection) -> Path:
    """Named by everything that shapes the weights."""
    shaped = (shaping(config), collection.key(), checkpoints.fingerprint(config.initial))
    return Path(config.runs) / config.name / digest(*shaped)


def trial(config: ApexnetRecordedConfig, collection: Collection, apexes: Apexes) -> Trial:
    """What INT8 is calibrated with and compared by: the apex frames of all clips, through each camera to train on."""
    takes = [shots(collection, apexes, collection.ids(), rate_hz) for rate_hz in config.rates.train_hz]
    taken = [shot for take in takes for shot in take]
    pictures = [shot.picture() for shot in taken]
    truth = np.array([collection.labels.index(shot.clip.sample.label) for shot in taken])
    representation = _representation(config, pictures[0], IMAGENET)
    return Trial(representation, pictures[::2], pictures[1::2], truth[1::2], TRIAL)


def restored(config: ApexnetRecordedConfig, collection: Collection) -> SeResNeXt:
    """The network that `fit` made; DataError if there is none."""
    network = SeResNeXt(len(collection.labels), BLOCKS[config.blocks], config.dropout)
    network.load_state_dict(torch.load(trained(run_folder(config, collection)), weights_only=True))
    return network


def export(
    config: ApexnetRecordedConfig,
    collection: Collection,
    scores: tuple[Score, ...],
    folder: Path,
    precision: Precision,
    trial: Trial | None = None,
) -> Manifest:
    """The engine package `folder` of the network that `fit` made; DataError if there is none.

    `scores` are those of the evaluation: of networks that were trained alike, without the people they were tested on.
    INT8 needs a `trial`.
    """
    network = restored(config, collection)
    golden = golden_crops(precision)
    representation = _representation(config, golden[0], IMAGENET)
    draft = Draft.of(
        folder,
        precision,
        trained_by(config, named(config.data), TERMS),
        vocabulary=vocabulary(config.data),
        labels=collection.labels,
        representation=representation,
        scores=scores,
    )
    images = torch.from_numpy(crop_images(golden, representation))
    curve = run_folder(config, collection) / CURVE
    return write_package(network, {"images": images}, ("embedding", "logits"), draft, folder, curve, trial=trial)


def _representation(config: ApexnetRecordedConfig, crop: Image, statistics: Statistics) -> CropImages:
    return CropImages(crop.shape[0], config.size_px, *statistics)
