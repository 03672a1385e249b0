"""How a movement goes in time: it rises from onset to apex, stays, and falls to its offset.

Rise and fall have the bell-shaped speed of a smooth voluntary movement (minimum jerk, Flash and Hogan 1985, who
measured arms; that faces move so is assumed here). Micro-expressions take under 0.5 s, their onset phase under 0.26 s
(Yan et al. 2013, "How fast are the leaked facial expressions", who hold either enough). The median is 0.305 s in the
coding table of CASME II (255 clips, 11 of them longer than 0.5 s) and 0.39 s in that of SAMM (159); 0.33 s lies
between. Macro-expressions take 0.5 to 4 s (Ekman 2003). The least length, the spreads and the macro-expressions'
median are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.records import Times

MICRO_S, MICRO_MEDIAN_S, MICRO_SPREAD = (0.1, 0.5), 0.33, 0.35
MACRO_S, MACRO_MEDIAN_S, MACRO_SPREAD = (0.5, 4.0), 1.5, 0.6
RISE_MOST_S = 0.26  # of a micro-expression
#: Share of the whole that is onset to apex: the least, the commonest, the most. In the tables of CASME II, SAMM, MMEW
#: and DFME (1,121 codings) the middle half has 0.38-0.58, the middle nine tenths 0.24-0.76.
RISE = (0.2, 0.49, 0.78)


@dataclass(frozen=True, slots=True)
class StrokeSpan:
    """When a movement happens, in seconds; `apex` begins a hold that ends at `release`."""

    onset: float
    apex: float
    release: float
    offset: float

    def level(self, times: Times) -> Times:
        """0 before the onset and after the offset, 1 from apex to release."""
        up = (times - self.onset) / max(self.apex - self.onset, 1e-9)
        down = (self.offset - times) / max(self.offset - self.release, 1e-9)
        return np.minimum(ease(up), ease(down))


@dataclass(frozen=True, slots=True)
class Stroke:
    """A channel of the face, or a part of the head's pose, that follows a span up to `amount`."""

    name: str  #: of `channels.NAMES`, or "yaw", "pitch", "roll" (degrees), "x", "y" (eye distances), "nearer"
    amount: float
    span: StrokeSpan


def ease(x: Times) -> Times:
    """Minimum jerk from 0 to 1: 10 x^3 - 15 x^4 + 6 x^5, clipped."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x**2), np.float64)


def micro_length(rng: np.random.Generator) -> float:
    """Seconds from onset to offset of a micro-expression."""
    return _length(rng, MICRO_MEDIAN_S, MICRO_SPREAD, MICRO_S)


def macro_length(rng: np.random.Generator) -> float:
    """The same of a macro-expression."""
    return _length(rng, MACRO_MEDIAN_S, MACRO_SPREAD, MACRO_S)


def micro_span(onset: float, length: float, rng: np.random.Generator) -> StrokeSpan:
    """Most have a short hold at the apex, some none; how long is ours."""
    rise = min(length * rng.triangular(*RISE), RISE_MOST_S)
    hold = (length - rise) * max(rng.uniform(-0.1, 0.25), 0.0)
    return StrokeSpan(onset, onset + rise, onset + rise + hold, onset + length)


def macro_span(onset: float, length: float, rng: np.random.Generator) -> StrokeSpan:
    """Rise and fall take up to a second or so each; the rest is held. The figures are ours."""
    rise = min(length * rng.uniform(0.2, 0.45), rng.uniform(0.25, 1.0))
    fall = min(length * rng.uniform(0.25, 0.5), rng.uniform(0.3, 1.2))
    return StrokeSpan(onset, onset + rise, onset + length - fall, onset + length)


def _length(rng: np.random.Generator, median: float, spread: float, bounds: tuple[float, float]) -> float:
    """Log-normal, drawn again outside `bounds`."""
    while True:
        length = float(median * np.exp(spread * rng.standard_normal()))
        if bounds[0] <= length <= bounds[1]:
            return length
