"""What the manifest says of a read-out: unit by unit, on made-up people whom no part of it has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from realtime.engine.package.manifest import Score
from realtime.recognition.units import LEFT, RIGHT
from realtime.records import Floats
from realtime.units import TRACE
from train.clips.movement.apex_fields import EVENT
from train.methods.units.claims import MORE, NOTHING, Rows
from train.methods.units.config import UnitsConfig
from train.methods.units.examples import MIXED, Examples
from train.methods.units.readings import Readings

#: What is scored, by what stands behind the figures' names, and how it came about.
SETS = {
    "": (EVENT, "events of films, micro-expressions and what is none, between annotated onset and apex"),
    "_mixed": (MIXED, "every unit as likely beside any other, known exactly, upon measured fields of all else"),
}


def report(config: UnitsConfig, readings: Readings, network: nn.Module, test: Examples) -> tuple[Score, ...]:
    """Figures of each unit and of all together, for each of `SETS`."""
    found: list[Score] = []
    for ending, (kind, how) in SETS.items():
        some = test.rows(test.kinds == kind)
        if len(some):
            protocol = f"{len(some)} made-up fields of held-out people; {how}; a unit moved from a trace (FACS A) on"
            counts, figures = _figures(readings, network, some)
            found += [
                Score(name=f"{name}{ending}", value=round(value, 4), protocol=protocol, counts=counts)
                for name, value in figures.items()
            ]
    return tuple(found)


def _figures(readings: Readings, network: nn.Module, some: Examples) -> tuple[dict[str, int], dict[str, float]]:
    with torch.no_grad():
        clear, strength = (part.numpy() for part in network(torch.from_numpy(some.fields)))
    at, truth, labels = readings.labels.index, readings.of(some.amounts), readings.labels
    counts, figures, sums = dict[str, int](), dict[str, float](), np.zeros(4)
    for number, (unit, sided) in enumerate(readings.pairs()):
        sides = truth[:, 2 * number : 2 * number + 2]
        told, moved, absent = clear[:, at(unit)] > 0.0, sides.max(1) >= TRACE, sides.max(1) < NOTHING
        counts[unit] = int(moved.sum())
        sums += [(told & moved).sum(), moved.sum(), (told & absent).sum(), told.sum()]
        figures |= _shares(unit, told, moved, absent)
        if sided and (told & moved).any():
            leaning = {side: clear[:, labels.index(unit + side)] > 0.0 for side in (LEFT, RIGHT)}
            figures |= dict(_sides(unit, sides[told & moved], {k: v[told & moved] for k, v in leaning.items()}))
        if (told & moved).any():
            error = np.abs(strength[:, at(unit)] - sides.max(1))[told & moved]
            figures[f"strength_error_{unit}"] = float(np.median(error))
    figures |= {"found": sums[0] / max(sums[1], 1), "wrong": sums[2] / max(sums[3], 1)}
    return counts, {name: float(value) for name, value in figures.items()}


def _shares(unit: str, told: Rows, moved: Rows, absent: Rows) -> Mapping[str, float]:
    """How much of what moved is told, and how much of what is told did not move."""
    return {
        f"found_{unit}": (told & moved).sum() / max(moved.sum(), 1),
        f"wrong_{unit}": (told & absent).sum() / max(told.sum(), 1),
    }


def _sides(unit: str, true: Floats, leaning: Mapping[str, Rows]) -> Iterator[tuple[str, float]]:
    """Of told units: how often a side that moved more is told as such, and how often what is told of sides is wrong."""
    left, right = true.T
    truth = {LEFT: left >= MORE * np.maximum(right, 0.0), RIGHT: right >= MORE * np.maximum(left, 0.0)}
    wrong = (leaning[LEFT] & (left <= right)) | (leaning[RIGHT] & (right <= left))
    uneven = truth[LEFT] | truth[RIGHT]
    if uneven.any():
        hit = (leaning[LEFT] & truth[LEFT]) | (leaning[RIGHT] & truth[RIGHT])
        yield f"side_{unit}", hit.sum() / uneven.sum()
    if said := int((leaning[LEFT] | leaning[RIGHT]).sum()):
        yield f"wrong_side_{unit}", wrong.sum() / said
