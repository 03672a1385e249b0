"""Dynamic expressions of any length, judged by a recurrent head over the encoder's embeddings of 16 frames.

Trained with the clustering loss of CN112101119A and Jiang et al. 2020 (see `train.losses.ecstfl`), which both attach
to a network of clips. Here the frames come from the encoder that serves anyway, so that an event costs the head
alone; and there are no recorded clips: FER+ pictures are brought into motion (see `train.synthesis.script.enact`),
and neutral ones fade to others' expressions (see `train.methods.dynamic.fades`). What is learnt of how faces move is
what the generator plays; what is learnt of how they look is the pictures'.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import LOGITS, MODEL, Manifest, Precision, Score
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from realtime.representation.event import EventFrames
from train.config.old import shaping
from train.datasets.ferplus import SPLITS
from train.losses.ecstfl import ecstfl, ecstfl_official
from train.methods.dynamic.config import DynamicConfig
from train.methods.dynamic.enactments import Enactments
from train.methods.dynamic.fades import faded, joined
from train.methods.dynamic.network import DynamicHead
from train.methods.dynamic.scores import report, scored
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_inputs
from train.storage.digest import digest
from train.synthesis.script.emotions import LABELS, VOCABULARY
from train.training import loop
from train.training.calibration import temperature
from train.training.curves import CURVE

log = logging.getLogger(__name__)

FADED = 1  # the seed of the fades that calibrate and that are scored
DATA = ("FER-2013 pictures with FER+ votes, brought into motion by scripted action units",)
TERMS = "FER+ labels: MIT. FER-2013's pictures have no clear licence and are not part of this package."

Batch = tuple[Tensor, Tensor]
Splits = Mapping[str, Enactments]  #: train, valid (sets the temperature), test (is scored once, at the end)
Stage = Literal["final", "early"]
STAGES: tuple[Stage, ...] = ("final", "early")


class DynamicJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate."""

    def __init__(self, config: DynamicConfig, splits: Splits) -> None:
        torch.manual_seed(config.seed)
        self.config, self.train, self.valid = config, splits["train"], with_fades(splits["valid"])
        embeddings = self.train.embeddings
        scale = 1.0 / max(float(embeddings.square().mean().sqrt()), 1e-6)
        self.head = DynamicHead(embeddings.shape[2], len(LABELS), config.dropout, scale)
        self.network: nn.Module = self.head
        self.epochs = config.epochs
        self.fades = round(config.fades * len(self.train))
        self.size = min(config.optimiser.batch, len(self.train))
        self.steps = (len(self.train) + self.fades) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.config.seed * 1000 + epoch)
        clips = joined(self.train, faded(self.train, self.fades, generator)) if self.fades else self.train
        order = torch.randperm(len(clips), generator=generator)
        x = sequences(clips, *self._parts(clips, generator), self.config.frames)
        for step in range(self.steps):
            rows = order[step * self.size : (step + 1) * self.size]
            yield x[rows], clips.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        embeddings, labels = batch
        feature, logits = self.network(embeddings)
        weights = self.config.loss
        paper = weights.variant == "paper"
        clustering = ecstfl(feature, labels, float(weights.p)) if paper else ecstfl_official(feature, labels)
        return F.cross_entropy(logits, labels) + weights.weight * clustering

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        said = {stage: predict(network, self.valid, self.config, stage).argmax(1) for stage in STAGES}
        return {f"valid_uar_{stage}": scored(self.valid, classes).uar for stage, classes in said.items()}

    def _parts(self, clips: Enactments, generator: Generator) -> tuple[Tensor, Tensor]:
        """Where each clip begins and ends in this epoch, seconds (K,): a detector's onset, and an apex or an offset."""
        onset, apex, offset = clips.moments.unbind(1)
        cut, place, shift = torch.rand((3, len(onset)), generator=generator, dtype=torch.float64)
        before, late = self.config.shown.before_s, self.config.shown.late_s
        low, high = self.config.early.after_s
        soon = torch.minimum(apex + low + (high - low) * place, offset)
        begin = onset - before + (before + late) * shift
        return begin, torch.where(cut < self.config.early.share, soon, offset)


def with_fades(clips: Enactments) -> Enactments:
    """`clips` to calibrate or to score with: as many fades among them as clips that were filmed, always the same."""
    return joined(clips, faded(clips, len(clips), torch.Generator().manual_seed(FADED)))


def sequences(clips: Enactments, begin: Tensor, end: Tensor, frames: int) -> Tensor:
    """What serving gives to the head for the frames from `begin` to `end` (K,), all at once: (K, frames, width)."""
    first, length = _inside(clips, begin, end)
    places = torch.arange(frames, dtype=torch.float64) + 0.5
    chosen = first[:, None] + (places * length[:, None] / frames).long()
    return clips.embeddings[torch.arange(len(clips))[:, None], chosen]


def inputs(clips: Enactments, begin: Tensor, end: Tensor, frames: int) -> Tensor:
    """The same as serving makes it, event by event."""
    made, rows = EmbeddingSequence("", "", frames, clips.embeddings.shape[2]), []  # of whichever encoder they are
    for k, (first, length) in enumerate(zip(*_inside(clips, begin, end), strict=True)):
        part = slice(int(first), int(first + length))
        seen = EventFrames(clips.times[k, part].numpy(), embeddings=clips.embeddings[k, part].numpy())
        rows.append(torch.from_numpy(made.of_event(seen, float(clips.moments[k, 1]))[EMBEDDINGS]))
    return torch.cat(rows)


def _inside(clips: Enactments, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """The first frame from `begin` to `end` (K,) and how many there are; the one beside `begin` if there is none."""
    first = (clips.times < begin[:, None]).sum(1).clamp(max=clips.times.shape[1] - 1)
    return first, ((clips.times <= end[:, None]).sum(1) - first).clamp(min=1)


@torch.no_grad()
def predict(network: nn.Module, clips: Enactments, config: DynamicConfig, stage: Stage) -> Tensor:
    """Logits (K, C) from the frames that serving would take: up to the offset, or to soon after the apex."""
    network.eval()
    onset, apex, offset = clips.moments.unbind(1)
    end = offset if stage == "final" else torch.minimum(apex + config.early.middle_s, offset)
    logits: Tensor = network(inputs(clips, onset, end, config.frames))[1]
    return logits


@torch.no_grad()
def calibrate(head: DynamicHead, clips: Enactments, config: DynamicConfig) -> float:
    """Fold into the last layer the temperature that fits both kinds of answers on `clips`, and return it."""
    logits = torch.cat([predict(head, clips, config, stage) for stage in STAGES])
    found = temperature(logits, clips.labels.repeat(len(STAGES)))
    head.fc.weight.div_(found)
    head.fc.bias.div_(found)
    return found


def fit(config: DynamicConfig, splits: Splits) -> Path:
    """Train, calibrate, score once on the test split, and return the run's folder.

    It holds `weights.pt`, `config.json` and `scores.json`, and is named by everything that shaped them.
    """
    folder = run_folder(config, splits)
    job = DynamicJob(config, splits)
    loop.fit(job, config.optimiser, folder, config.machine)
    log.info("temperature %.3f", calibrate(job.head, job.valid, config))
    test = with_fades(splits["test"])
    found = report({stage: predict(job.head, test, config, stage) for stage in STAGES}, test, config)
    torch.save(job.head.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    (folder / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return folder


def run_folder(config: DynamicConfig, splits: Splits) -> Path:
    """Named by everything that shapes the weights."""
    clips = [zlib.crc32(splits[name].embeddings.numpy().tobytes()) for name in SPLITS]
    return Path(config.runs) / config.name / digest(shaping(config), clips)


def restored(config: DynamicConfig, splits: Splits) -> DynamicHead:
    """The calibrated head that `fit` made; DataError if there is none."""
    weights = torch.load(trained(run_folder(config, splits)), weights_only=True)
    head = DynamicHead(weights["reads.weight"].shape[1] // 2, len(LABELS))
    head.load_state_dict(weights)
    return head.eval()


def export(config: DynamicConfig, splits: Splits, encoder: Engine, folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder` of a finished run, with the scores that `fit` wrote; DataError if there is none.

    The golden inputs are embeddings of the bundled sample stream, which may be passed on.
    """
    name, sha256 = encoder.manifest.name, encoder.manifest.files[MODEL]
    head, run = restored(config, splits), run_folder(config, splits)
    draft = Draft.of(
        folder, precision, trained_by(config, DATA, TERMS), vocabulary=VOCABULARY, labels=LABELS,
        representation=EmbeddingSequence(name, sha256, config.frames, head.width),
        scores=msgspec.json.decode((run / "scores.json").read_bytes(), type=tuple[Score, ...]),
        task="dynamic-expression",
    )  # fmt: skip
    golden = golden_inputs(draft.representation, encoder, frames=config.frames)
    return write_package(head, golden, ("feature", LOGITS), draft, folder, run / CURVE)
