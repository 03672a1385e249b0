"""More happens in films than was filmed: movements are added to each other, for displacements add up.

A spotter sees where the face is now against where it was `lag_s` before. A movement of apex field F that has reached
the share l(t) of it adds F * (l(t) - l(t - lag_s)); two films of two people add what both do, and the noise of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from realtime.records import Floats, Times
from realtime.representation.movement.fields import FIELD_PX
from realtime.representation.movement.fields import mirrored as fields_mirrored
from realtime.spotting.recurrent import unpacked
from train.methods.spotter.distort import distorted
from train.spotting.films import MICRO, Film
from train.synthesis.script.strokes import StrokeSpan, macro_length, macro_span, micro_length, micro_span

APART_S = 0.4  # between expressions, so that each has an onset of its own
FOUND, SPREAD = 0.8, 0.2  # flow finds so much of a movement in the middle, and the logarithm of that spreads so far

STRONGER = (1.5, 4.0)  # a macro-expression is so many times a micro-expression
#: How far a micro-expression of real people moves what it moves most, in outer eye distances: that of exact movements
#: has a median of 0.015. What was marked was clear, with a median of 0.11, and is made smaller.
LARGEST, NEVER_STRONGER, REAL_STRONGER = (0.006, 0.06), 1.2, (1.0, 2.5)
RISE_S = 0.3  # a movement that rises longer is not whole in a lagged flow

Expressions = list[tuple[float, float, float, float]]
Movement = Callable[[int, np.random.Generator], Floats]  #: draws an apex field (2, S, S) of a kind


def flow_of(span: StrokeSpan, ends: Times, tick_s: float, lag_s: float) -> Floats:
    """What the ticks show of a movement, as shares of its apex: (G,), the way back negative."""
    middles = ends - 0.5 * tick_s
    return np.asarray(span.level(middles) - span.level(middles - lag_s), np.float32)


def exact(known: Floats) -> Movement:
    """Draws of the apex fields `known` (K, 2, S, S) of micro-expressions, as large as flow finds them."""

    def draw(kind: int, rng: np.random.Generator) -> Floats:
        size = FOUND * np.exp(SPREAD * rng.standard_normal()) * (1.0 if kind == MICRO else rng.uniform(*STRONGER))
        return np.asarray(known[int(rng.integers(len(known)))] * np.float32(size), np.float32)

    return draw


def real(seen: Floats) -> Movement:
    """Draws of the apex fields `seen` (K, 2, S, S) of real people, made small, and changed."""

    def draw(kind: int, rng: np.random.Generator) -> Floats:
        field = seen[int(rng.integers(len(seen)))].astype(np.float32)
        wanted = np.exp(rng.uniform(*np.log(LARGEST))) * (1.0 if kind == MICRO else rng.uniform(*REAL_STRONGER))
        return distorted(field * np.float32(min(wanted / np.abs(field).max(), NEVER_STRONGER)), rng)

    return draw


def either(one: Movement, other: Movement, share: float) -> Movement:
    """Draws of `other`, a `share` of them, and of `one`."""
    return lambda kind, rng: (other if rng.random() < share else one)(kind, rng)


def apexes(films: Sequence[Film]) -> Floats:
    """What the expressions of `films` that rise fast enough look like at their apex, and in a mirror: (K, 2, S, S)."""
    found = []
    for film in films:
        for _, onset, apex, _ in film.expressions:
            row = int(np.searchsorted(film.ends, apex))
            if apex - onset <= RISE_S and film.ends[0] <= apex <= film.ends[-1]:
                fields, _, _ = unpacked(film.ticks[row].astype(np.float32), FIELD_PX)
                found += [fields, fields_mirrored(fields)]
    return np.array(found, np.float32).reshape(-1, 2, FIELD_PX, FIELD_PX)


def paste(
    ends: Times,
    fields: Floats,
    there: Expressions,
    movement: Movement,
    kinds: Sequence[int],
    lag_s: float,
    rng: np.random.Generator,
) -> Expressions:
    """Add expressions of these `kinds` to `fields` (G, 2, S, S), in place; those that were added are returned.

    Those that would come too near to what is `there`, or to each other, are left out.
    """
    tick_s, added = float(ends[1] - ends[0]), Expressions()
    for kind in kinds:
        length = micro_length(rng) if kind == MICRO else macro_length(rng)
        begin = rng.uniform(ends[0], max(ends[-1] - length, ends[0] + tick_s))
        span = micro_span(begin, length, rng) if kind == MICRO else macro_span(begin, length, rng)
        new: Expressions = [(kind, span.onset, span.apex, span.offset)]
        if apart(there + added, new):
            fields += flow_of(span, ends, tick_s, lag_s)[:, None, None, None] * movement(kind, rng)
            added += new
    return added


def mirrored(fields: Floats, turns: Floats) -> tuple[Floats, Floats]:
    """Left for right: fields (..., 2, S, S) and turns (..., yaw, pitch, roll)."""
    return fields_mirrored(fields), turns * np.array([-1.0, 1.0, -1.0], np.float32)


def apart(some: Expressions, others: Expressions) -> bool:
    """Whether every two of them are `APART_S` apart."""
    return not any(
        onset < end + APART_S and begin < offset + APART_S
        for _, onset, _, offset in some
        for _, begin, _, end in others
    )
