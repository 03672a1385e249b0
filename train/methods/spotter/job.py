"""How the spotter learns: chunks of films, each of them changed, with movements known exactly added to it.

Films are dear, so each chunk of one is mirrored, laid over another one, and shows more than was filmed (see
`train.methods.spotter.pasted`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import DataError
from realtime.records import Floats, Times
from realtime.representation.fields import FIELD_PX, LAG_S
from realtime.representation.motion_ticks import motion_ticks
from realtime.spotting.recurrent import unpacked
from train.methods.spotter.chunks import begins
from train.methods.spotter.config import SpotterTraining
from train.methods.spotter.network import OUTPUTS
from train.methods.spotter.pasted import Expressions, apart, paste
from train.spotting.films import MACRO, MICRO, Film

BLIND_TICKS = 12  # a network that has just begun to look is not asked what it sees
APEX_S = {True: 0.03, False: 0.06}  # of a micro-expression or another: how far from the apex it is half as much one

Batch = tuple[Tensor, Tensor]


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

    def __init__(
        self, config: SpotterTraining, network: nn.Module, films: Sequence[Film], known: Floats, seed: int
    ) -> None:
        """`known` are apex fields (K, 2, S, S) of people to train on."""
        self.config, self.network, self.films, self.known, self.seed = config, network, films, known, seed
        self.epochs, self.steps = config.epochs, config.steps
        self.length = round(config.chunk_s / config.tick_s)
        short = [film for film in films if len(film.ends) <= self.length]
        if short:
            raise DataError(f"films of {short[0].seconds:g} s are too short for chunks of {config.chunk_s:g} s")
        self.begins = [begins(film, self.length, config.without, LAG_S) for film in films]
        places = np.array([len(rows) for rows in self.begins], np.float64)
        if not places.any():
            raise DataError(
                f"no film shows {config.chunk_s:g} s without {', '.join(config.without)}; wanted shorter ones"
            )
        self.shares = places / places.sum()
        micro, macro = config.pasted_per_minute
        self.pasted = (micro, 0.0 if "macro" in config.without else macro)

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((self.seed, epoch))
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
        found = paste(chunk.ends, fields, chunk.expressions, self.known, kinds, LAG_S, rng)
        return Chunk(chunk.ends, fields, chunk.head, chunk.turns, found)

    def _chunk(self, rng: np.random.Generator) -> Chunk:
        number = int(rng.choice(len(self.shares), p=self.shares))
        film, places = self.films[number], self.begins[number]
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


def targets(times: Times, expressions: Expressions) -> Floats:
    """(T, 3) at `times`: whether there is an expression, whether it is a micro-expression, how nearly it is an apex."""
    found = np.zeros((len(times), OUTPUTS), np.float32)
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


def _together(one: Chunk, other: Chunk) -> Chunk:
    """Both films at once."""
    return Chunk(
        one.ends, one.fields + other.fields, np.maximum(one.head, other.head), one.turns + other.turns,
        one.expressions + other.expressions,
    )  # fmt: skip
