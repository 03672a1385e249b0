"""What faces do that is no micro-expression: blinks, gaze shifts, speech, turns of the head, macro-expressions.

Each is a list of strokes with one span; how often each happens is the configuration's, per minute. Blinks: 17 a
minute at rest, 26 in talk (Bentivoglio et al. 1997); lids come up more slowly than they go down, and many do not shut
whole (Sforza et al. 2008); spontaneous blinks are long and vary much (VanderWerf et al. 2003). Gaze: jumps, the longer
the farther they go, and the upper lid follows what is looked at (Leigh and Zee 2015). Speech: the mouth opens and shuts
2 to 7 times a second (Chandrasekaran et al. 2009). All other figures are ours, how long lids and jumps take among them:
0.07-0.11 s down, 0.12-0.28 s up, 0.02-0.08 s for a jump of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from realtime.labels import MEGC3
from train.datasets.action_units import ActionUnit
from train.synthesis.channels import SIDES
from train.synthesis.prototypes import Played, expression
from train.synthesis.strokes import Span, Stroke, macro_length, macro_span, micro_span

Role = Literal["micro", "macro", "blink", "gaze", "speech", "turn"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a face does; seconds on the film's clock."""

    role: Role
    label: str  #: of an expression; "" for what is none
    onset: float
    apex: float
    offset: float
    units: tuple[ActionUnit, ...]
    strokes: tuple[Stroke, ...]


def micro(label: str, intensities: tuple[str, ...], onset: float, length: float, rng: np.random.Generator) -> Happening:
    """A micro-expression of class `label`, or a movement as short that belongs to no class ("none")."""
    return _shown("micro", label, expression(label, intensities, rng), micro_span(onset, length, rng))


def macro(onset: float, rng: np.random.Generator) -> Happening:
    """A strong expression of any class, 0.5 to 4 s long."""
    label = MEGC3[int(rng.integers(len(MEGC3)))]
    return _shown("macro", label, expression(label, ("C", "D", "E"), rng), macro_span(onset, macro_length(rng), rng))


def blink(onset: float, rng: np.random.Generator) -> Happening:
    """Both lids, nearly together; not always all the way."""
    shut, opened = rng.uniform(0.07, 0.11), rng.uniform(0.12, 0.28)
    span = Span(onset, onset + shut, onset + shut + rng.uniform(0.0, 0.04), onset + shut + opened)
    depth = 1.0 if rng.random() < 0.75 else rng.uniform(0.5, 0.9)
    squint = 0.15 * rng.random()  # the lower lid comes up a little
    strokes = [Stroke(f"blink{side}", depth * rng.uniform(0.95, 1.0), span) for side in SIDES]
    strokes += [Stroke(f"7{side}", squint, span) for side in SIDES]
    return _other("blink", span, strokes)


def gaze(onset: float, rng: np.random.Generator) -> Happening:
    """A look aside, up or down, and back."""
    out, back, stay = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.08), rng.uniform(0.15, 1.5)
    span = Span(onset, onset + out, onset + out + stay, onset + out + stay + back)
    aside = ("gaze-left", "gaze-right")[int(rng.integers(2))]
    high = ("gaze-up", "gaze-down")[int(rng.integers(2))]
    return _other("gaze", span, [Stroke(aside, rng.uniform(0.1, 0.8), span), Stroke(high, rng.uniform(0.0, 0.5), span)])


def speech(onset: float, rng: np.random.Generator) -> Happening:
    """Syllables: the jaw opens and shuts, lips round, spread or purse, at 2 to 7 a second."""
    length, rate = rng.uniform(0.4, 3.0), rng.uniform(2.0, 7.0)
    strokes, t = [], onset
    while t < onset + length:
        syllable = rng.uniform(0.7, 1.3) / rate
        peak = t + syllable * rng.uniform(0.35, 0.6)
        span = Span(t, peak, peak + 0.1 * syllable, t + 1.1 * syllable)
        strokes.append(Stroke("jaw", rng.uniform(0.03, 0.2), span))
        lips = ("round", "pucker", "20", "10", "25")[int(rng.integers(5))]
        sides = ("",) if lips in ("round", "pucker") else SIDES
        strokes += [Stroke(f"{lips}{side}", rng.uniform(0.05, 0.3), span) for side in sides]
        t += syllable
    end = max(stroke.span.offset for stroke in strokes)
    return _other("speech", Span(onset, strokes[0].span.apex, end, end), strokes)


def turn(onset: float, rng: np.random.Generator) -> Happening:
    """A turn or nod of 2 to 10 degrees, and back; the head shifts with it."""
    out, back, stay = rng.uniform(0.25, 0.9), rng.uniform(0.3, 1.0), rng.uniform(0.0, 1.0)
    span = Span(onset, onset + out, onset + out + stay, onset + out + stay + back)
    sizes = {"yaw": rng.uniform(-10, 10), "pitch": rng.uniform(-6, 6), "roll": rng.uniform(-5, 5)}
    shifts = {"x": sizes["yaw"] * 0.008, "y": -sizes["pitch"] * 0.006}
    return _other("turn", span, [Stroke(name, size, span) for name, size in (sizes | shifts).items()])


#: By the names of the configuration.
MAKERS: dict[str, Callable[[float, np.random.Generator], Happening]] = {
    "blink": blink,
    "gaze": gaze,
    "speech": speech,
    "turn": turn,
    "macro": macro,
}


def _shown(role: Role, label: str, played: tuple[Played, ...], span: Span) -> Happening:
    strokes = [
        Stroke(f"{part.unit.number}{side}", part.share, span)
        for part in played
        for side in ((part.unit.side,) if part.unit.side else SIDES)
    ]
    units = tuple(part.unit for part in played)
    return Happening(role, label, span.onset, span.apex, span.offset, units, tuple(strokes))


def _other(role: Role, span: Span, strokes: list[Stroke]) -> Happening:
    return Happening(role, "", span.onset, span.apex, span.offset, (), tuple(strokes))
