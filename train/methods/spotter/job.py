"""How the spotter learns: chunks of films, each of them changed, with movements added to it.

Films are dear, so each chunk of one is mirrored, laid over another one, and shows more than was filmed (see
`train.methods.spotter.pasted`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.records import Floats, Times
from realtime.representation.motion_ticks import motion_ticks
from realtime.representation.movement.fields import LAG_S
from train.methods.spotter.config import Adapting, SpotterTraining
from train.methods.spotter.elsewhere import elsewhere
from train.methods.spotter.footage import Chunk, Footage, together
from train.methods.spotter.network import OUTPUTS
from train.methods.spotter.pasted import Expressions, Movement, apart, paste
from train.spotting.films import MACRO, MICRO

BLIND_TICKS = 12  # a network that has just begun to look is not asked what it sees
APEX_S = {True: 0.03, False: 0.06}  # of a micro-expression or another: how far from the apex it is half as much one

Batch = tuple[Tensor, Tensor, Tensor]  #: what is seen (B, T, F), what is there (B, T, OUTPUTS), who is asked (B, T, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Footage of one kind."""

    footage: Footage
    share: float  #: of the chunks; those of all kinds sum to one
    gain: float  #: standard deviation of the logarithm by which everything in it moves more or less


class SpotterJob:
    """Implements `loop.Job`."""

    def __init__(
        self,
        config: SpotterTraining,
        network: nn.Module,
        learns: nn.Module,
        shown: Sequence[Portion],
        movement: Movement,
        seed: int,
        pace: SpotterTraining | Adapting,
    ) -> None:
        """`learns` is the part of `network` that does; `movement` draws what is added; `pace` says how long."""
        self.config, self.network, self.seed = config, network, seed
        self._learns = learns
        self.epochs, self.steps, self._batch = pace.epochs, pace.steps, pace.optimiser.batch
        self._elsewhere = pace.elsewhere
        self._shown, self._movement = shown, movement
        micro, macro = config.pasted_per_minute
        self._pasted = (micro, 0.0 if "macro" in config.without else macro)

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((self.seed, epoch))
        for _ in range(self.steps):
            chunks = [self._changed(rng) for _ in range(self._batch)]
            inputs = np.stack([self._inputs(chunk, rng) for chunk in chunks])
            wanted = np.stack([targets(self._moments(chunk), chunk.expressions) for chunk in chunks])
            asked = np.stack([self._asked(chunk) for chunk in chunks])
            yield torch.from_numpy(inputs), torch.from_numpy(wanted), torch.from_numpy(asked)

    def loss(self, batch: Batch) -> Tensor:
        """The sum over members, so that each learns as fast as it would alone."""
        inputs, wanted, asked = batch
        weights = torch.tensor(self.config.weights, device=inputs.device)
        logits = self._learns(inputs)
        each = F.binary_cross_entropy_with_logits(
            logits, wanted.expand_as(logits), pos_weight=weights, reduction="none"
        )
        return len(logits) * (each * asked).mean() / asked.mean().clamp_min(1e-6)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        """Nothing: films to calibrate on are films not to train on, and the test is looked at once."""
        return {}

    def _changed(self, rng: np.random.Generator) -> Chunk:
        """One chunk of one film, with what is added to it."""
        chunk = self._chunk(rng)
        if rng.random() < self.config.both:
            other = self._chunk(rng)
            if apart(chunk.expressions + chunk.unsure, other.expressions + other.unsure):
                chunk = together(chunk, other)
        wanted = rng.poisson(np.multiply(self._pasted, self.config.chunk_s / 60.0))
        kinds = rng.permutation(np.repeat((MICRO, MACRO), wanted)).tolist()
        there = chunk.expressions + chunk.unsure
        found = paste(chunk.ends, chunk.fields, there, self._movement, kinds, LAG_S, rng)
        chunk = replace(chunk, expressions=chunk.expressions + found)
        return elsewhere(chunk, rng) if rng.random() < self._elsewhere else chunk

    def _chunk(self, rng: np.random.Generator) -> Chunk:
        shown = self._shown[int(rng.choice(len(self._shown), p=[each.share for each in self._shown]))]
        chunk = shown.footage.draw(rng, self.config.lookback_s)
        return replace(chunk, fields=chunk.fields * np.float32(np.exp(shown.gain * rng.standard_normal())))

    def _inputs(self, chunk: Chunk, rng: np.random.Generator) -> Floats:
        made = motion_ticks(chunk.fields, chunk.head, chunk.turns, self.config.cells)
        noise = self.config.noise * rng.random() * rng.standard_normal(made.shape, dtype=np.float32)
        return np.asarray(made + noise, np.float32)

    def _moments(self, chunk: Chunk) -> Times:
        """That its ticks speak of."""
        return np.asarray(chunk.ends - self.config.lookback_s)

    def _asked(self, chunk: Chunk) -> Floats:
        """(T, 1): 1 where the network is asked, 0 where it is blind yet, nobody knows, or nothing is shown any more."""
        asked, moments = np.ones((len(chunk.ends), 1), np.float32), self._moments(chunk)
        asked[:BLIND_TICKS] = asked[chunk.shown :] = 0.0
        for _, begin, _, end in chunk.unsure:
            asked[(moments >= begin) & (moments <= end)] = 0.0
        return asked


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
