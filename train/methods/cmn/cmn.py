"""The contrastive magnification network of patent CN115049957A (Southeast University, 2022), without its encoder.

Differences from the patent: the encoder is frozen (see `train.clips.embeddings`), and it is also the g whose
distances choose the negatives; far frames are likelier negatives, as the text wants and the formula does not (see
`train.methods.cmn.sampling`); the first frame's embedding may be subtracted from all (see `train.networks.cmn`); half
of the clips end soon after the apex, for early answers. "Remaining frames" are all other frames of the event, also
those behind such an end. The published CMNet (AAAI 2023) is another network, and an option: see
`train.networks.cmnet`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import MODEL, Manifest, Precision, Score, Training
from realtime.errors import DataError
from realtime.labels import NONE, VOCABULARIES
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train.clips.clip import ClipCrops, check
from train.clips.embeddings import embed
from train.clips.fields import MovingClip
from train.config.old import shaping
from train.evaluation.rejection import judged
from train.methods.cmn import sampling
from train.methods.cmn.answers import STAGES, calibrate, evaluate, predict
from train.methods.cmn.config import CmnConfig, CmnSettings, HeadKind
from train.methods.cmn.events import Events, Parts, split
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast
from train.methods.cmn.moved import beside
from train.methods.cmn.trend import trend
from train.networks.cmn import CmnHead
from train.networks.cmnet import CmnetHead
from train.packaging.export import OPSET, Draft, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_inputs
from train.packaging.step import step_graph
from train.storage.digest import digest
from train.training import loop
from train.training.curves import CURVE

log = logging.getLogger(__name__)

HEADS: dict[HeadKind, type[CmnHead]] = {"patent": CmnHead, "cmnet": CmnetHead}
DATA = ("synthetic micro-expressions: neutral FER-2013 pictures moved by action units of ICT-FaceKit (MIT)",)
TERMS = "FER-2013's pictures have no clear licence and are not part of this package."


class Batch(NamedTuple):
    """B clips of one step."""

    views: Tensor  #: (B, 2, N, width): two views of the source frames
    first: Tensor  #: (B, 1, 1, width): the first source frame, clean
    negatives: Tensor  #: (B, N, S, width): clean
    since_apex_s: Tensor  #: (B, N): of the source frames
    labels: Tensor  #: (B,)


class CmnJob:
    """Implements `loop.Job`. The curve's scores are of the clips that calibrate, never of the held-out ones."""

    def __init__(self, config: CmnSettings, parts: Parts) -> None:
        torch.manual_seed(config.seed)
        self.config, self.train, self.valid = config, parts.train, parts.calibration
        width, classes = self.train.clean.shape[1], len(self.train.vocabulary)
        scale = self.train.scale(config.reference, config.motion.row)
        self.head = HEADS[config.head](width, classes, config.reference, scale)
        self.network: nn.Module = self.head
        self.epochs = config.epochs
        self.size = min(config.optimiser.batch, len(parts.train))
        self.steps = len(parts.train) // self.size

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.config.seed * 1000 + epoch)
        data, order = self.train.shown(generator), torch.randperm(len(self.train), generator=generator)
        lengths = self._lengths(data, generator)
        for step in range(self.steps):
            yield self._batch(data, order[step * self.size : (step + 1) * self.size], lengths, generator)

    def loss(self, batch: Batch) -> Tensor:
        head, weights, t = self.head, self.config.loss, self.config.loss.temperature
        views = batch.views.transpose(0, 1)
        x = head.relative(views, views[:, :, :1]).flatten(0, 1)  # (2B, N, width), a view after the other
        z = head.projector(x)
        a, b = z.chunk(2)
        negatives = head.projector(head.relative(batch.negatives, batch.first))
        logits, v = head.follow(x, z)
        labels = batch.labels.repeat(2)
        total = (
            weights.intra * intra_contrast(a, b, negatives, t)
            + weights.inter * inter_contrast(v, labels, t)
            + weights.classify * F.cross_entropy(logits, labels)
        )
        if isinstance(head, CmnetHead):
            total = total + weights.trend * trend(head.intensity(z), batch.since_apex_s.repeat(2, 1))
        return total

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        found = evaluate(network, self.valid, self.config)
        return {f"valid_uf1_{stage}": result.uf1 for stage, result in found.items()}

    def _lengths(self, data: Events, generator: torch.Generator) -> Tensor:
        """Frames of each event up to its end in this epoch: the offset, or a moment soon after the apex."""
        low, high = self.config.early.after_s
        cut, place = torch.rand((2, len(data)), generator=generator, dtype=torch.float64)
        end = data.apex_s + low + (high - low) * place
        return torch.where(cut < self.config.early.share, data.until(end), data.lengths)

    def _batch(self, data: Events, events: Tensor, lengths: Tensor, generator: torch.Generator) -> Batch:
        config = self.config
        sources = sampling.source_frames(lengths[events], config.frames, generator)
        negatives = self._negatives(data, events, sources, generator)
        pair = torch.rand((len(events), len(data.views)), generator=generator).argsort(1)[:, :2]
        rows = data.rows(events, sources)
        views = torch.stack([data.views[pair[:, side, None], rows] for side in (0, 1)], 1)
        first, others = data.clean[rows[:, :1, None]], data.clean[data.rows(events, negatives)]
        return Batch(views, first, others, data.since_apex_s(events, sources), data.labels[events])

    def _negatives(self, data: Events, events: Tensor, sources: Tensor, generator: torch.Generator) -> Tensor:
        """Frames (B, N, S) that are held against `sources` (B, N)."""
        config = self.config
        lengths = data.lengths[events]
        allowed = sampling.candidates(sources, lengths, config.negatives)
        frames = torch.minimum(torch.arange(allowed.shape[-1]), lengths[:, None] - 1)
        chosen, every = (data.clean[data.rows(events, which)] for which in (sources, frames))
        weights = sampling.log_weights(chosen, every, allowed, config.sampling, config.sharpness)
        return sampling.draw(weights, config.negatives, generator)


def prepare(config: CmnConfig, found: Sequence[ClipCrops], encoder: Engine, moving: Sequence[MovingClip] = ()) -> Parts:
    """Check, embed and split the clips; the training's seed changes nothing here.

    `moving` are the same clips as fields, and read only if [motion] has cells.
    """
    labels = VOCABULARIES[vocabulary_of(config)]
    check(found, labels)
    embedded = embed(found, encoder, config.views, config.clips.seed, Path(config.cache))
    if config.motion.cells:
        both = zip(embedded, moving, strict=True)
        embedded = [beside(clip, moved, config.motion, config.clips.seed) for clip, moved in both]
    return split(embedded, labels, config.clips.held_out, config.clips.calibration, config.clips.seed)


def vocabulary_of(config: CmnConfig) -> str:
    """With "none" as a class where some clips show none."""
    return "megc-3-none" if config.clips.none else "megc-3"


def fit(config: CmnConfig, parts: Parts) -> Path:
    """Train, calibrate, score once on the held-out people, and return the run's folder.

    It holds `weights.pt` (see `load`), `config.json` and `scores.json`, and is named by everything that shaped them.
    """
    folder = run_folder(config, parts)
    head = train_head(config, parts, folder)
    torch.save(head.state_dict(), folder / "weights.pt")
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    (folder / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(report(head, parts, config))))
    return folder


def train_head(config: CmnSettings, parts: Parts, folder: Path) -> CmnHead:
    """A head trained and calibrated; `parts.test` is not looked at. Checkpoints lie in `folder`."""
    job = CmnJob(config, parts)
    loop.fit(job, config.optimiser, folder, config.machine)
    log.info("temperature %.3f", calibrate(job.head, parts.calibration, config))
    return job.head


def run_folder(config: CmnConfig, parts: Parts) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(shaping(config), parts.key)


def report(head: CmnHead, parts: Parts, config: CmnConfig) -> tuple[Score, ...]:
    """What the manifest says of `head`: figures of final and early answers, on people that no part of it has seen."""
    labels = [parts.test.vocabulary[int(label)] for label in parts.test.labels]
    real = torch.tensor([label != NONE for label in labels])
    protocol = (
        f"{int(real.sum())} events of held-out people, pooled; {config.epochs} epochs, fixed in advance; "
        f"annotated moments; final: onset to offset, early: to {1000 * config.early.middle_s:.0f} ms after the apex"
    )
    said = {stage: predict(head, parts.test, config, stage) for stage in STAGES}
    told: dict[str, Tensor] = {stage: logits[real] for stage, logits in said.items()}
    nothing = {} if bool(real.all()) else {NONE: said["final"][~real]}
    return judged(told, [label for label in labels if label != NONE], nothing, protocol)


def load(folder: Path) -> CmnHead:
    """The calibrated head of a run; DataError if `folder` holds no finished one."""
    missing = [f"no {name}" for name in ("config.json", "scores.json", "weights.pt") if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} is no finished run; train it with python -m train fit", missing)
    config = msgspec.json.decode((folder / "config.json").read_bytes(), type=CmnConfig)
    return restore(folder / "weights.pt", config)


def restore(path: Path, config: CmnSettings) -> CmnHead:
    """A head with the weights that lie at `path`, and of their sizes."""
    weights = torch.load(path, weights_only=True)
    width, classes = weights["projector.0.weight"].shape[1], len(weights["classifier.bias"])
    head = HEADS[config.head](width, classes, config.reference, torch.ones(width))
    head.load_state_dict(weights)
    return head.eval()


def export(config: CmnConfig, parts: Parts, encoder: Engine, folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder` of a finished run, with the scores that `fit` wrote; DataError if there is none."""
    run = run_folder(config, parts)
    head = load(run)
    training = trained_by(config, DATA, TERMS)
    scores = msgspec.json.decode((run / "scores.json").read_bytes(), type=tuple[Score, ...])
    name = vocabulary_of(config)
    return package(config, head, encoder, name, VOCABULARIES[name], training, scores, run, folder, precision)


def package(
    config: CmnSettings,
    head: CmnHead,
    encoder: Engine,
    vocabulary: str,
    labels: tuple[str, ...],
    training: Training,
    scores: tuple[Score, ...],
    run: Path,
    folder: Path,
    precision: Precision,
) -> Manifest:
    """`head`, whose training lies in `run`, as the engine package `folder`, bound to `encoder`.

    The golden inputs are embeddings of the bundled sample stream, which may be passed on.
    """
    name, sha256, motion = encoder.manifest.name, encoder.manifest.files[MODEL], config.motion
    made = EmbeddingSequence(name, sha256, config.frames, head.width - motion.row, motion.cells)
    draft = Draft.of(
        folder, precision, training, vocabulary=vocabulary, labels=labels, representation=made, scores=scores
    )
    golden = golden_inputs(made, encoder, frames=config.frames)
    step = step_graph(head, golden[EMBEDDINGS], OPSET)
    return write_package(head, golden, ("logits", "clip"), draft, folder, run / CURVE, step=step)
