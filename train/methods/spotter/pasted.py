"""More happens in films than was filmed: movements are added to each other, for displacements add up.

A spotter sees where the face is now against where it was `lag_s` before. A movement of apex field F that has reached
the share l(t) of it adds F * (l(t) - l(t - lag_s)); two films of two people add what both do, and the noise of both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.records import Floats, Times
from train.spotting.films import MICRO
from train.synthesis.script.strokes import StrokeSpan, macro_length, macro_span, micro_length, micro_span

APART_S = 0.4  # between expressions, so that each has an onset of its own
FOUND, SPREAD = 0.8, 0.2  # flow finds so much of a movement in the middle, and the logarithm of that spreads so far

STRONGER = (1.5, 4.0)  # a macro-expression is so many times a micro-expression

Expressions = list[tuple[float, float, float, float]]


def flow_of(span: StrokeSpan, ends: Times, tick_s: float, lag_s: float) -> Floats:
    """What the ticks show of a movement, as shares of its apex: (G,), the way back negative."""
    middles = ends - 0.5 * tick_s
    return np.asarray(span.level(middles) - span.level(middles - lag_s), np.float32)


def paste(
    ends: Times,
    fields: Floats,
    there: Expressions,
    known: Floats,
    kinds: Sequence[int],
    lag_s: float,
    rng: np.random.Generator,
) -> Expressions:
    """Add expressions of these `kinds` to `fields` (G, 2, S, S), in place; all are returned.

    Each is of one of the apex fields `known` (K, 2, S, S), which are those of micro-expressions. Those that would come
    too near to others are left out.
    """
    tick_s, found = float(ends[1] - ends[0]), there
    for kind in kinds:
        length = micro_length(rng) if kind == MICRO else macro_length(rng)
        begin = rng.uniform(ends[0], max(ends[-1] - length, ends[0] + tick_s))
        span = micro_span(begin, length, rng) if kind == MICRO else macro_span(begin, length, rng)
        new: Expressions = [(kind, span.onset, span.apex, span.offset)]
        if apart(found, new):
            size = FOUND * np.exp(SPREAD * rng.standard_normal()) * (1.0 if kind == MICRO else rng.uniform(*STRONGER))
            share = flow_of(span, ends, tick_s, lag_s)[:, None, None, None]
            fields += share * known[int(rng.integers(len(known)))].astype(np.float32) * np.float32(size)
            found = found + new
    return found


def apart(some: Expressions, others: Expressions) -> bool:
    """Whether every two of them are `APART_S` apart."""
    return not any(
        onset < end + APART_S and begin < offset + APART_S
        for _, onset, _, offset in some
        for _, begin, _, end in others
    )
