"""How the read-out is learned: maps by ridge, then thresholds and scales on people whom no map was fitted to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from realtime.records import Floats
from realtime.representation.movement.fields import mirrored
from train.clips.movement.apex_fields import ANY
from train.methods.units import claims
from train.methods.units.apart import apart
from train.methods.units.claims import Claim, Rows
from train.methods.units.config import UnitsConfig
from train.methods.units.examples import MIXED, Examples
from train.methods.units.network import CELLS, NEVER, UnitNet
from train.methods.units.readings import Readings
from train.methods.units.ridge import ridge
from train.methods.units.thresholds import strictest

log = logging.getLogger(__name__)

#: So many standard deviations of what white noise reads, whose rest is as large as a field's, are never told: where no
#: training shows noise of a kind, none is told by it. (Means of two by two cells have half of its deviation.)
CLEAR = 3.0
EXPLAIN_RIDGE = 1e-5  #: of the map back to the field, which has few inputs and needs next to none


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a read-out says of N examples, and what is true."""

    said: Floats  #: (N, R)
    true: Floats  #: (N, R)
    noise: Floats  #: (N,)
    weights: Floats  #: (N,) for how much each counts where thresholds are set
    films: Rows  #: (N,) those that were measured


class UnitsSolution:
    """Implements `solved.Solvable`."""

    def __init__(
        self, config: UnitsConfig, readings: Readings, network: UnitNet, train: Examples, more: Examples
    ) -> None:
        """`more` are people who set thresholds alone."""
        self.config, self.readings, self.network = config, readings, network
        self._train, self._more = train, more

    def solve(self) -> Mapping[str, float]:
        """Maps, thresholds and scales; the shares of what moved that is told of people whom no map was fitted to."""
        parts = [self._read(held, *self._maps(fitted)) for fitted, held in apart(self._train, self.config)]
        maps = self._maps(self._train)
        if len(self._more):
            parts.append(self._read(self._more, *maps))
        held = Read(*(np.concatenate([getattr(part, name) for part in parts]) for name in Read.__slots__))
        with torch.no_grad():
            for layer, weights in zip((self.network.read, self.network.explain), maps, strict=True):
                layer.weight.copy_(torch.from_numpy(weights))
        return dict(self._settle(held))

    def _maps(self, fitted: Examples) -> tuple[Floats, Floats]:
        """Both maps, from examples and their mirror images; exact mixtures count as much as all that was measured."""
        truth = self.readings.of(fitted.amounts)
        fields = np.concatenate([fitted.fields, mirrored(fitted.fields)])
        wanted = np.concatenate([truth, self.readings.mirrored(truth)])
        weights = np.tile(_evened(fitted.kinds == MIXED), 2)
        flat = fields.reshape(len(fields), -1)
        read = ridge(flat, wanted, weights, self.config.ridge)
        return read, ridge(flat @ read.T, _pooled(fields), weights, EXPLAIN_RIDGE)

    def _read(self, held: Examples, read: Floats, explain: Floats) -> Read:
        said = held.fields.reshape(len(held), -1) @ read.T
        rest = _pooled(held.fields) - said @ explain.T
        noise = np.sqrt(self.config.floor**2 + np.square(rest).mean(1))
        weights = np.where(held.kinds == ANY, self.config.shown.weight, 1.0)
        mixed = held.kinds == MIXED
        return Read(said, self.readings.of(held.amounts), noise, weights * _evened(mixed, weights), ~mixed)

    def _settle(self, held: Read) -> Iterator[tuple[str, float]]:
        """Thresholds and scales into the network; by unit the share of what moved that is told."""
        at, label, network = 0, 0, self.network
        least = CLEAR * CELLS * (network.claims @ network.read.weight.detach()).norm(dim=1).numpy()
        for number, (unit, sided) in enumerate(self.readings.pairs()):
            sides = [2 * number, 2 * number + 1]
            (left, right), (true_left, true_right) = held.said[:, sides].T, held.true[:, sides].T
            claim = claims.moved(left, right, true_left, true_right, held.noise, sided=sided)
            bar = max(self._bar(claim, held.weights, held.films), float(least[at]))
            told = claim.clear > bar
            network.thresholds[at : at + 2 if sided else at + 1] = bar
            network.scale[label : label + 3 if sided else label + 1] = _scale(held, sides, told & claim.right)
            if sided:
                network.thresholds[at + 2 : at + 4] = max(
                    self._leaning(held, sides, told & claim.right), float(least[at + 2])
                )
            at, label = (at + 4, label + 3) if sided else (at + 1, label + 1)
            found = (held.weights * (told & claim.right)).sum() / max((held.weights * claim.right).sum(), 1e-9)
            log.info("AU %-6s %s", unit, f"{found:.2f} found" if bar < NEVER else "is never sure")
            yield f"found_{unit}", float(found)

    def _leaning(self, held: Read, sides: list[int], told: Rows) -> float:
        """The threshold of what says that a side of a told unit moved more."""
        (left, right), (true_left, true_right) = held.said[told][:, sides].T, held.true[told][:, sides].T
        noise, weights, films = held.noise[told], held.weights[told], held.films[told]
        both = claims.together(
            claims.more(left, right, true_left, true_right, noise),
            claims.more(right, left, true_right, true_left, noise),
        )
        return self._bar(both, np.tile(weights, 2), np.tile(films, 2))

    def _bar(self, claim: Claim, weights: Floats, films: Rows) -> float:
        return strictest(claim, weights, films, self.config.wrong, self.config.wrong_in_films)


def _scale(held: Read, sides: list[int], told: Rows) -> float:
    """What brings what is read of a told unit to what is true, in the median: flow finds a part, and ridge shrinks."""
    if not told.any():
        return 1.0
    rows = np.flatnonzero(told)
    side = np.argmax(held.true[told][:, sides], 1)
    true, said = (values[rows, np.take(sides, side)] for values in (held.true, held.said))
    return float(np.median(true / np.maximum(said, 1e-3)))


def _evened(mixed: Rows, weights: Floats | None = None) -> Floats:
    """Factors (N,) by which all that is mixed counts as much as all that is not."""
    given = np.ones(len(mixed)) if weights is None else weights
    measured = given[~mixed].sum()
    return np.where(mixed, measured / max(given[mixed].sum(), 1e-9) if measured else 1.0, 1.0)


def _pooled(fields: Floats) -> Floats:
    """As `UnitNet` pools them: (N, P)."""
    return nn.functional.avg_pool2d(torch.from_numpy(fields), CELLS).flatten(1).numpy()
