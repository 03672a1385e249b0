"""How the face moved, judged by a network of displacement fields: a small CNN on each and an LSTM over them.

After the lecture's finding that flow over time is what carries over between data sets (ATNet, Peng et al. 2019,
arXiv 1904.03699); scale-free, as a field that is divided by its own size says what moved and not how strongly or on
whom. Synthetic clips have "none" as a class of its own and not as a threshold on the others: what is none is known
there, faces at rest, blinks, movements that no class fits, and doubt between two classes is no sign of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

from realtime import config as realtime_config
from realtime.engine.package.manifest import Manifest, Precision, Score, Training
from realtime.records import Floats
from realtime.representation.event import EventFrames
from realtime.representation.fields import FIELD_PX, Times, moments, sampled
from realtime.representation.flow_fields import FIELDS, FlowFields, scaled
from train.clips.clip import event
from train.clips.exact import Movements
from train.clips.fields import MovingClip
from train.clips.sequences import bent, cut, rests
from train.clips.takes import draw
from train.evaluation.runners import CURVE
from train.losses.focal import focal, inverse_frequency
from train.methods.motion.config import MotionSettings
from train.methods.motion.distort import distort
from train.methods.motion.network import MotionNet
from train.networks import checkpoints
from train.packaging.export import Draft
from train.packaging.export import export as write_package
from train.packaging.golden import golden_inputs
from train.training import loop

log = logging.getLogger(__name__)

CHUNK = 256  # events that are judged at once
RISE = np.array([0.0, 1.0])  # from rest to the apex

Batch = tuple[Tensor, Tensor]


class Mixed(NamedTuple):
    """What is shown beside the events themselves, as shares of each batch."""

    none: int | None = None  #: the class of faces at rest; None where there is no such class
    rest: float = 0.0
    exact: Movements | None = None
    exact_share: float = 0.0


ALONE = Mixed()


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one batch."""

    events: int
    rest: int
    exact: int


class MotionJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, if there are any."""

    def __init__(
        self,
        config: MotionSettings,
        labels: tuple[str, ...],
        takes: Sequence[Sequence[MovingClip]],
        seed: int,
        mixed: Mixed = ALONE,
        valid: Sequence[MovingClip] = (),
    ) -> None:
        """`takes`: the same clips through each camera to train on."""
        torch.manual_seed(seed)
        self.config, self.vocabulary, self.takes, self.seed, self.mixed = config, labels, takes, seed, mixed
        self.valid = valid
        self.judge = build(config, len(labels))
        self.network: nn.Module = self.judge
        self.labels = _indices([clip.sample.label for clip in takes[0]], labels)
        self.rests = [clip for take in takes for clip in take if rests(clip)] if mixed.rest else []
        self.counts = _counts(config.optimiser.batch, len(self.labels), mixed, bool(self.rests))
        self.epochs = config.epochs
        self.steps = len(self.labels) // self.counts.events
        self.alpha = inverse_frequency(self._shown()) if config.loss.alpha == "inverse-frequency" else None

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
        clips, order = draw(self.takes, generator), torch.randperm(len(self.labels), generator=generator)
        for step in range(self.steps):
            rows = order[step * self.counts.events : (step + 1) * self.counts.events]
            shown = [self._event(clips[row], generator) for row in rows.tolist()]
            labels = [self.labels[rows]]
            for more, theirs in (self._rests(generator), self._exact(generator)):
                shown += more
                labels.append(theirs)
            x = distort(torch.from_numpy(np.stack(shown)), self.config.augment, generator)
            yield torch.from_numpy(scaled(x.numpy(), representation(self.config))), torch.cat(labels)

    def loss(self, batch: Batch) -> Tensor:
        fields, labels = batch
        logits, _ = self.network(fields)
        return focal(logits, labels, self.config.loss.gamma, self.alpha)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        if not self.valid:
            return {}
        truth = _indices([clip.sample.label for clip in self.valid], self.vocabulary)
        said = predict(network, self.config, inputs(self.config, self.valid)).argmax(1)
        return {"valid_accuracy": float((said == truth).float().mean())}

    def _event(self, clip: MovingClip, generator: Generator) -> Floats:
        """(N, 2, S, S): the movement as one of its cameras and one run of the detector might have cut it."""
        times, fields, apex = cut(clip, self.config.jitter_s, self.config.early, generator)
        return self._sampled(times, fields, float(times[0]), apex, generator)

    def _rests(self, generator: Generator) -> tuple[list[Floats], Tensor]:
        chosen = torch.randint(max(len(self.rests), 1), (self.counts.rest,), generator=generator).tolist()
        found = []
        for row in chosen:
            spans = rests(self.rests[row])
            span = spans[int(torch.randint(len(spans), (), generator=generator))]
            times = self.rests[row].times[span]
            ends = torch.rand(2, generator=generator).sort().values.tolist()
            onset, apex = (float(times[0] + end * (times[-1] - times[0])) for end in ends)
            found.append(self._sampled(times, self.rests[row].fields[span], onset, apex, generator))
        return found, torch.full((len(chosen),), self.mixed.none or 0)

    def _exact(self, generator: Generator) -> tuple[list[Floats], Tensor]:
        known = self.mixed.exact
        if known is None or not self.counts.exact:
            return [], torch.zeros(0, dtype=torch.int64)
        rows = torch.randint(len(known), (self.counts.exact,), generator=generator).tolist()
        found = [self._sampled(RISE, ramp(known.fields[row]), 0.0, 1.0, generator) for row in rows]
        return found, _indices(known.labels[rows].tolist(), self.vocabulary)

    def _sampled(self, times: Times, fields: Floats, onset: float, apex: float, generator: Generator) -> Floats:
        wanted = bent(moments(onset, apex, self.config.fields.frames), onset, self.config.augment.stretch, generator)
        return sampled(times, fields, wanted)

    def _shown(self) -> Tensor:
        """How many of each class an epoch shows, about."""
        classes = len(self.vocabulary)
        shown = torch.bincount(self.labels, minlength=classes).float()
        if self.mixed.none is not None:
            shown[self.mixed.none] += self.counts.rest * self.steps
        if self.mixed.exact is not None and self.counts.exact:
            known = _indices(self.mixed.exact.labels.tolist(), self.vocabulary)
            shown += torch.bincount(known, minlength=classes) * (self.counts.exact * self.steps / len(known))
        return shown


def ramp(apex: Floats) -> Floats:
    """A movement (2, S, S) that grows evenly, at the moments `RISE`."""
    return np.stack([np.zeros_like(apex), apex])


def build(config: MotionSettings, classes: int) -> MotionNet:
    """A fresh network, from other weights if they are named; of another number of classes, all but the last layer."""
    network = MotionNet(classes, config.dropout)
    if config.initial:
        checkpoints.load(network, Path(config.initial))
    return network


def representation(config: MotionSettings) -> FlowFields:
    """What serving is to feed the network with."""
    shown = config.fields
    crop_px = realtime_config.load().align.size_px
    return FlowFields(crop_px, FIELD_PX, shown.frames, shown.scale, shown.floor, shown.limit)


def inputs(config: MotionSettings, clips: Sequence[MovingClip], after_s: float | None = None) -> Tensor:
    """What serving feeds the network at the end of each event, or `after_s` after its apex: (K, N, 3, S, S)."""
    made = representation(config)
    rows = []
    for clip in clips:
        inside = event(clip.times, clip.sample)
        times = clip.times[inside]
        seen = len(times) if after_s is None else int(np.searchsorted(times, clip.sample.apex_s + after_s, "right"))
        seen = max(seen, 1)
        part = EventFrames(times[:seen], fields=clip.fields[inside][:seen])
        rows.append(made.of_event(part, clip.sample.apex_s)[FIELDS])
    return torch.from_numpy(np.concatenate(rows))


@torch.no_grad()
def predict(network: nn.Module, config: MotionSettings, fields: Tensor) -> Tensor:
    """Logits (K, C) of K events (K, N, 3, S, S)."""
    network.eval()
    return torch.cat([network(chunk)[0] for chunk in torch.split(fields, CHUNK)])


def fit(job: MotionJob, folder: Path) -> MotionNet:
    """The network of `job`, trained; checkpoints lie in `folder`."""
    loop.fit(job, job.config.optimiser, folder, job.config.machine)
    return job.judge


def package(
    config: MotionSettings,
    network: MotionNet,
    vocabulary: str,
    labels: tuple[str, ...],
    training: Training,
    scores: tuple[Score, ...],
    run: Path,
    folder: Path,
    precision: Precision,
) -> Manifest:
    """`network`, whose training lies in `run`, as the engine package `folder`.

    The golden inputs are fields of the bundled sample stream, which may be passed on.
    """
    made = representation(config)
    draft = Draft.of(
        folder, precision, training, vocabulary=vocabulary, labels=labels, representation=made, scores=scores
    )
    return write_package(network, golden_inputs(made), ("logits", "event"), draft, folder, run / CURVE)


def _counts(batch: int, events: int, mixed: Mixed, resting: bool) -> Counts:
    """A batch of the wanted size, at least one event in it, and fewer if there are not so many events."""
    rest = round(mixed.rest * batch) if resting else 0
    exact = round(mixed.exact_share * batch) if mixed.exact is not None else 0
    return Counts(min(max(batch - rest - exact, 1), events), rest, exact)


def _indices(labels: Sequence[str], vocabulary: tuple[str, ...]) -> Tensor:
    return torch.tensor([vocabulary.index(label) for label in labels], dtype=torch.int64)
