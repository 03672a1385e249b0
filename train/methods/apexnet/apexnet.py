"""SE-ResNeXt with focal loss on the peak of a movement: on its picture alone, or on what changed since the onset.

Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003) show the apex alone, in which a micro-expression of
somebody unknown hardly differs from that person's face at rest. So the network may be shown the onset too, and the
difference of the two. Here it learns from synthetic clips, slim; `train.methods.apexnet.recorded` is the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime import config as realtime_config
from realtime.labels import NONE, VOCABULARIES
from realtime.records import Floats, Image
from realtime.representation.apex_change import ApexChange, apex_pair
from realtime.representation.change import LUMA, changed
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, IMAGES, CropImages, crop_images
from realtime.representation.event import EventFrames
from train.clips.clip import Times
from train.clips.sequences import rests
from train.clips.subject_split import LABELS
from train.losses.focal import focal, inverse_frequency
from train.methods.apexnet.config import ApexnetConfig
from train.methods.apexnet.pairs import Filmed, Moments, moments, resting
from train.methods.apexnet.se_resnext import SeResNeXt
from train.networks import checkpoints
from train.training import augment
from train.training.augment import standardise

CHUNK = 32  # pictures that are judged at once
DARK, BRIGHT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # statistics that leave colours in [0, 1], as augmentation wants them

Batch = tuple[Tensor, Tensor]


class ApexnetJob:
    """Implements `loop.Job`. The curve's score is of the clips that calibrate."""

    def __init__(self, config: ApexnetConfig, train: Sequence[Filmed], valid: Sequence[Filmed]) -> None:
        torch.manual_seed(config.seed)
        self.config, self.train, self.valid = config, train, valid
        self.judge = build(config)
        self.network: nn.Module = self.judge
        self.made = representation(config)
        self.labels = indices(train)
        self.rests = [clip for clip in train if rests(clip)] if config.rest else []
        still = round(config.rest * config.optimiser.batch) if self.rests else 0
        self.size = min(max(config.optimiser.batch - still, 1), len(train))
        self.still = still
        self.epochs = config.epochs
        self.steps = len(train) // self.size
        shown = torch.bincount(
            torch.cat([self.labels, nothing(still * self.steps)]), minlength=self.judge.fc.out_features
        )
        self.alpha = inverse_frequency(shown) if config.loss.alpha == "inverse-frequency" else None

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.config.seed * 1000 + epoch)
        order = torch.randperm(len(self.train), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            shown = [self._event(self.train[row], generator) for row in rows.tolist()]
            shown += [self._rest(generator) for _ in range(self.still)]
            labels = torch.cat([self.labels[rows], nothing(self.still)])
            yield varied(torch.from_numpy(np.stack(shown)), self.config, self.made, generator), labels

    def loss(self, batch: Batch) -> Tensor:
        images, labels = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        return focal(logits.float(), labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        said = predict(network, inputs(self.config, self.valid)).argmax(1)
        return {"valid_accuracy": float((said == indices(self.valid)).float().mean())}

    def _event(self, clip: Filmed, generator: Generator) -> Floats:
        """The event as one run of the detector might have found it: see `seen`."""
        return seen(clip, moments(clip.sample, self.config.jitter_s, self.config.augment.rising, generator), self.made)

    def _rest(self, generator: Generator) -> Floats:
        clip = self.rests[int(torch.randint(len(self.rests), (), generator=generator))]
        return seen(clip, resting(clip, generator), self.made)


def build(config: ApexnetConfig) -> SeResNeXt:
    """A fresh network, from other weights if they are named; of another number of classes, all but the last layer."""
    network = bare(config)
    if config.initial:
        checkpoints.load(network, Path(config.initial))
    return network


def bare(config: ApexnetConfig) -> SeResNeXt:
    """The network with random weights."""
    return SeResNeXt(len(VOCABULARIES[vocabulary(config)]), config.blocks, config.dropout, config.groups)


def vocabulary(config: ApexnetConfig) -> str:
    """With "none" as a class where faces at rest are shown as that."""
    return "megc-3-none" if config.rest else "megc-3"


def representation(config: ApexnetConfig) -> CropImages | ApexChange:
    """What serving is to feed the network with."""
    crop_px = realtime_config.load().align.size_px
    if config.shows == "apex":
        return CropImages(crop_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD)
    return ApexChange(crop_px, config.size_px, config.around_s, config.gain)


def seen(clip: Filmed, at: Moments, made: CropImages | ApexChange) -> Floats:
    """What is shown of `clip` in grey, (1 or 2, S, S) in [0, 1]: its apex, or its onset and its apex."""
    times, images = clip.since(at[0])
    if isinstance(made, ApexChange):
        return apex_pair(times, images, at[1], made)
    picture = crop_images([_apex(times, images, at[1])], msgspec.structs.replace(made, mean=DARK, std=BRIGHT))
    return np.tensordot(LUMA, picture, (0, 1))


def varied(x: Tensor, config: ApexnetConfig, made: CropImages | ApexChange, generator: Generator) -> Tensor:
    """What `seen` gives of each event -> (B, 3, S, S), as other cameras might have shown it to the network."""
    a = config.augment
    if isinstance(made, ApexChange):
        x = augment.pairs(x, a.turn_deg, a.scale, a.shift, a.slip, generator)
        x = augment.noise(augment.light(x, a.light, generator), a.noise, generator)
        return torch.from_numpy(changed(x.numpy(), made.gain)).contiguous(memory_format=torch.channels_last)
    x = augment.similarity(x, a.turn_deg, a.scale, a.shift, generator)
    x = augment.noise(augment.tint(x, a.light, a.tint, generator), a.noise, generator)
    return standardise(x.clamp(0.0, 1.0))


def shown(clip: Filmed, at: Moments, end: float, made: CropImages | ApexChange) -> Floats:
    """What serving feeds the network with for an event of these moments that is over at `end`: (1, 3, S, S)."""
    times, images = clip.since(at[0])
    until = max(int(np.searchsorted(times, end, side="right")), 1)
    return made.of_event(EventFrames(times[:until], images=images[:until]), at[1])[IMAGES]


def inputs(config: ApexnetConfig, clips: Sequence[Filmed]) -> Tensor:
    """What serving feeds the network at the end of each event: (K, 3, S, S)."""
    made, events = representation(config), [clip.sample for clip in clips]
    rows = [shown(c, (s.onset_s, s.apex_s), s.offset_s, made) for c, s in zip(clips, events, strict=True)]
    return torch.from_numpy(np.concatenate(rows))


@torch.no_grad()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (K, C) of K events (K, 3, S, S)."""
    network.eval()
    return torch.cat([network(chunk)[1] for chunk in torch.split(images, CHUNK)])


def indices(clips: Sequence[Filmed]) -> Tensor:
    """The labels (K,) of `clips`."""
    return torch.tensor([LABELS.index(clip.sample.label) for clip in clips], dtype=torch.int64)


def nothing(count: int) -> Tensor:
    """The label "none" (count,)."""
    return torch.full((count,), LABELS.index(NONE), dtype=torch.int64)


def _apex(times: Times, images: Image, apex: float) -> Image:
    return np.array(images[int(np.abs(times - apex).argmin())])
