"""The network that says when an expression is under way, trained on films of everything that faces do.

What is to be found is known to the generator to the millisecond. A row of the network speaks of the moment that lies
`lookback_s` back, since half of a movement tells a micro-expression from the beginning of something longer. Films are
dear, so each chunk of one is changed: mirrored, laid over another one, and with movements known exactly added to it
(see `train.methods.spotter.pasted`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, MEMORY, Manifest, Precision, Score
from realtime.errors import DataError
from realtime.labels import NONE, VOCABULARIES
from realtime.records import Floats
from realtime.representation.fields import FIELD_PX, LAG_S
from realtime.representation.motion_ticks import TICKS, MotionTicks, motion_ticks
from realtime.spotting.recurrent import unpacked
from realtime.spotting.scorer import Spot
from train.clips.exact import movements
from train.config.old import shaping
from train.methods.spotter.chunks import begins
from train.methods.spotter.config import SpotterTraining
from train.methods.spotter.network import SpotterNet, SpotterStep
from train.methods.spotter.pasted import Expressions, apart, paste
from train.methods.spotter.scores import judged
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.spotting.films import MACRO, MICRO, Film, Order, Times, films
from train.storage.digest import digest
from train.synthesis.synthetic import Synthetic
from train.training import loop
from train.training.curves import CURVE

log = logging.getLogger(__name__)

VOCABULARY = "spotting-3"
LABELS = VOCABULARIES[VOCABULARY]
DATA = (
    "synthetic films: neutral faces moved by scripted action units, blinks, glances, speech, chewing, turns and hands",
)
TERMS = "The pictures that were moved are not part of this package; FER-2013's have no clear licence."
BLIND_TICKS = 12  # a network that has just begun to look is not asked what it sees
APEX_S = {True: 0.03, False: 0.06}  # of a micro-expression or another: how far from the apex it is half as much one
GOLDEN_ROWS = 4

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What is trained on, and what is scored once."""

    train: list[Film]
    test: list[Film]
    known: Floats  #: (K, 2, S, S) apex fields of people to train on


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Part of a film."""

    ends: Times
    fields: Floats  #: (T, 2, S, S)
    head: Floats  #: (T,)
    turns: Floats  #: (T, TURNS)
    expressions: Expressions


class SpotterJob:
    """Implements `loop.Job`."""

    def __init__(self, config: SpotterTraining, parts: Parts) -> None:
        torch.manual_seed(config.seed)
        self.config, self.parts = config, parts
        self.spotter = build(config)
        self.network: nn.Module = self.spotter
        self.epochs, self.steps = config.epochs, config.steps
        self.length = round(config.chunk_s / config.tick_s)
        if any(len(film.ends) <= self.length for film in parts.train):
            raise DataError(f"films of {config.seconds:g} s are too short for chunks of {config.chunk_s:g} s")
        self.begins = [begins(film, self.length, config.without, LAG_S) for film in parts.train]
        places = np.array([len(rows) for rows in self.begins], np.float64)
        if not places.any():
            raise DataError(
                f"no film shows {config.chunk_s:g} s without {', '.join(config.without)}; wanted shorter ones"
            )
        self.shares = places / places.sum()
        micro, macro = config.pasted_per_minute
        self.pasted = (micro, 0.0 if "macro" in config.without else macro)

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((self.config.seed, epoch))
        for _ in range(self.steps):
            chunks = [self._changed(rng) for _ in range(self.config.optimiser.batch)]
            inputs = np.stack([self._inputs(chunk, rng) for chunk in chunks])
            wanted = np.stack([targets(chunk.ends - self.config.lookback_s, chunk.expressions) for chunk in chunks])
            yield torch.from_numpy(inputs), torch.from_numpy(wanted)

    def loss(self, batch: Batch) -> Tensor:
        """The sum over members, so that each learns as fast as it would alone."""
        inputs, wanted = batch
        weights = torch.tensor(self.config.weights, device=inputs.device)
        logits, wanted = self.network(inputs)[:, :, BLIND_TICKS:], wanted[:, BLIND_TICKS:]
        mean = F.binary_cross_entropy_with_logits(logits, wanted.expand_as(logits), pos_weight=weights)
        return self.config.members * mean

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: films to calibrate on are films not to train on, and the test is looked at once."""
        return {}

    def _changed(self, rng: np.random.Generator) -> Chunk:
        """One chunk of one film, with what is added to it."""
        config, chunk = self.config, self._chunk(rng)
        if rng.random() < config.both:
            other = self._chunk(rng)
            if apart(chunk.expressions, other.expressions):
                chunk = _together(chunk, other)
        fields = chunk.fields * np.float32(np.exp(config.gain * rng.standard_normal()))
        wanted = rng.poisson(np.multiply(self.pasted, config.chunk_s / 60.0))
        kinds = rng.permutation(np.repeat((MICRO, MACRO), wanted)).tolist()
        found = paste(chunk.ends, fields, chunk.expressions, self.parts.known, kinds, LAG_S, rng)
        return Chunk(chunk.ends, fields, chunk.head, chunk.turns, found)

    def _chunk(self, rng: np.random.Generator) -> Chunk:
        number = int(rng.choice(len(self.shares), p=self.shares))
        film, places = self.parts.train[number], self.begins[number]
        begin = int(places[rng.integers(len(places))])
        rows = slice(begin, begin + self.length)
        fields, head, turns = unpacked(film.ticks[rows].astype(np.float32), FIELD_PX)
        if rng.random() < 0.5:
            fields, turns = mirrored(fields, turns)
        ends = film.ends[rows] - film.ends[begin]
        moved = [(kind, *(np.array(times) - film.ends[begin])) for kind, *times in film.expressions]
        asked = [each for each in moved if each[3] > -self.config.lookback_s and each[1] < ends[-1]]
        return Chunk(ends, fields, head, turns, asked)

    def _inputs(self, chunk: Chunk, rng: np.random.Generator) -> Floats:
        made = motion_ticks(chunk.fields, chunk.head, chunk.turns, self.config.cells)
        noise = self.config.noise * rng.random() * rng.standard_normal(made.shape, dtype=np.float32)
        return np.asarray(made + noise, np.float32)


def parts(config: SpotterTraining, workers: int | None = None) -> Parts:
    """The films and movements, made where the cache has none; nobody who is tested is trained on."""
    everybody = Synthetic(config.clips)
    learn, held_out = everybody.side("training"), sorted(everybody.held_out)
    cache, seen = Path(config.cache), representation(config)
    order = Order(config.clips, config.seconds, config.micro_per_minute, seen)
    known = movements(config.clips, learn[: config.known_people], config.known_each, cache, workers)
    return Parts(
        films(order, learn[: config.films], cache, workers),
        films(order, held_out[: config.test_films], cache, workers),
        known.fields[known.labels != NONE],
    )


def representation(config: SpotterTraining) -> MotionTicks:
    """What serving is to feed the network with."""
    crop_px = realtime_config.load().align.size_px
    memory = config.members * config.memory
    return MotionTicks(crop_px, FIELD_PX, config.cells, LAG_S, config.tick_s, config.lookback_s, memory)


def build(config: SpotterTraining) -> SpotterNet:
    """A fresh network."""
    made = representation(config)
    return SpotterNet(made.width - made.memory, config.memory, config.members, config.dropout)


def targets(times: Times, expressions: Expressions) -> Floats:
    """(T, 3) at `times`: whether there is an expression, whether it is a micro-expression, how nearly it is an apex."""
    found = np.zeros((len(times), len(LABELS)), np.float32)
    for kind, onset, apex, offset in expressions:
        inside = (times >= onset) & (times <= offset)
        found[inside, 0] = 1.0
        found[inside, 1] = kind == MICRO
        near = np.exp(-0.5 * np.square((times - apex) / APEX_S[kind == MICRO]))
        found[:, 2] = np.maximum(found[:, 2], near)
    return found


def mirrored(fields: Floats, turns: Floats) -> tuple[Floats, Floats]:
    """Left for right: fields (..., 2, S, S) and turns (..., yaw, pitch, roll)."""
    swapped = fields[..., ::-1].copy()
    swapped[..., 0, :, :] *= -1.0
    return swapped, turns * np.array([-1.0, 1.0, -1.0], np.float32)


def fit(config: SpotterTraining, data: Parts) -> Path:
    """Train, score once on the held-out people, and return the run's folder."""
    folder = run_folder(config)
    job = SpotterJob(config, data)
    loop.fit(job, config.optimiser, folder, config.machine)
    torch.save(job.spotter.state_dict(), folder / WEIGHTS)
    (folder / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    found = report(job.spotter, config, data.test)
    (folder / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return folder


def run_folder(config: SpotterTraining) -> Path:
    """Named by everything that shapes the weights."""
    return Path(config.runs) / config.name / digest(shaping(config))


def restored(config: SpotterTraining) -> SpotterNet:
    """The network that `fit` made; DataError if there is none."""
    network = build(config)
    network.load_state_dict(torch.load(trained(run_folder(config)), weights_only=True))
    return network.eval()


def export(config: SpotterTraining, folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder` of a finished run; DataError if there is none."""
    run, made, network = run_folder(config), representation(config), restored(config)
    found = msgspec.json.decode((run / "scores.json").read_bytes(), type=tuple[Score, ...])
    draft = Draft.of(
        folder, precision, trained_by(config, DATA, TERMS), vocabulary=VOCABULARY, labels=LABELS,
        representation=made, scores=found, task="spotting",
    )  # fmt: skip
    golden = {TICKS: torch.randn(GOLDEN_ROWS, made.width, generator=Generator().manual_seed(1))}
    return write_package(SpotterStep(network), golden, (LOGITS, MEMORY), draft, folder, run / CURVE)


def report(network: SpotterNet, config: SpotterTraining, test: Sequence[Film]) -> tuple[Score, ...]:
    """What the manifest says of `network`: figures on people that it has not seen."""
    return judged([(film, spots(network, config, film)) for film in test], config)


@torch.no_grad()
def spots(network: SpotterNet, config: SpotterTraining, film: Film) -> list[Spot]:
    """What `network` says of a whole film, as it would live."""
    network.eval()
    fields, head, turns = unpacked(film.ticks.astype(np.float32), FIELD_PX)
    ticks = torch.from_numpy(motion_ticks(fields, head, turns, config.cells))
    found = network(ticks[None]).mean(0)[0].sigmoid().tolist()
    return [Spot(t, *each) for t, each in zip(film.ends - config.lookback_s, found, strict=True)]


def _together(one: Chunk, other: Chunk) -> Chunk:
    """Both films at once."""
    return Chunk(
        one.ends, one.fields + other.fields, np.maximum(one.head, other.head), one.turns + other.turns,
        one.expressions + other.expressions,
    )  # fmt: skip
