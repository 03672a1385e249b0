"""Everything that films show, by the names of the configuration: expressions, and what faces do that is none.

How often each happens is the configuration's, per minute. Blinks: 17 a minute at rest, 26 in talk (Bentivoglio et al.
1997); lids come up more slowly than they go down, and many do not shut whole (Sforza et al. 2008); spontaneous blinks
are long and vary much (VanderWerf et al. 2003). Gaze: jumps, the longer the farther they go, and the upper lid follows
what is looked at (Leigh and Zee 2015). All other figures are ours, how long lids and jumps take among them: 0.07-0.11 s
down, 0.12-0.28 s up, 0.02-0.08 s for a jump of any size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.labels import MEGC3
from train.synthesis.face.channels import SIDES
from train.synthesis.script.hand import reached
from train.synthesis.script.happening import Happening, Role, distraction
from train.synthesis.script.mouths import mouth, speech
from train.synthesis.script.prototypes import PlayedUnit, expression
from train.synthesis.script.strokes import Stroke, StrokeSpan, macro_length, macro_span, micro_span
from train.synthesis.script.turns import turn


def micro(label: str, intensities: tuple[str, ...], onset: float, length: float, rng: np.random.Generator) -> Happening:
    """A micro-expression of class `label`, or a movement as short that belongs to no class ("none")."""
    return _shown("micro", label, expression(label, intensities, rng), micro_span(onset, length, rng))


def macro(onset: float, rng: np.random.Generator) -> Happening:
    """A strong expression of any class, 0.5 to 4 s long."""
    return strong(MEGC3[int(rng.integers(len(MEGC3)))], onset, rng)


def strong(label: str, onset: float, rng: np.random.Generator) -> Happening:
    """The same of class `label`."""
    return _shown("macro", label, expression(label, ("C", "D", "E"), rng), macro_span(onset, macro_length(rng), rng))


def blink(onset: float, rng: np.random.Generator) -> Happening:
    """Both lids, nearly together; not always all the way."""
    shut, opened = rng.uniform(0.07, 0.11), rng.uniform(0.12, 0.28)
    span = StrokeSpan(onset, onset + shut, onset + shut + rng.uniform(0.0, 0.04), onset + shut + opened)
    depth = 1.0 if rng.random() < 0.75 else rng.uniform(0.5, 0.9)
    squint = 0.15 * rng.random()  # the lower lid comes up a little
    strokes = [Stroke(f"blink{side}", depth * rng.uniform(0.95, 1.0), span) for side in SIDES]
    strokes += [Stroke(f"7{side}", squint, span) for side in SIDES]
    return distraction("blink", span, strokes)


def gaze(onset: float, rng: np.random.Generator) -> Happening:
    """A look aside, up or down, and back."""
    out, back, stay = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.08), rng.uniform(0.15, 1.5)
    span = StrokeSpan(onset, onset + out, onset + out + stay, onset + out + stay + back)
    aside = ("gaze-left", "gaze-right")[int(rng.integers(2))]
    high = ("gaze-up", "gaze-down")[int(rng.integers(2))]
    return distraction(
        "gaze", span, [Stroke(aside, rng.uniform(0.1, 0.8), span), Stroke(high, rng.uniform(0.0, 0.5), span)]
    )


def hand(onset: float, rng: np.random.Generator) -> Happening:
    """A hand comes up, touches or rubs the face, and goes."""
    shown = reached(onset, rng)
    return distraction("hand", shown.span, (), shown)


#: By the names of the configuration.
MAKERS: dict[str, Callable[[float, np.random.Generator], Happening]] = {
    "blink": blink,
    "gaze": gaze,
    "speech": speech,
    "mouth": mouth,
    "turn": turn,
    "hand": hand,
    "macro": macro,
}


def _shown(role: Role, label: str, played: tuple[PlayedUnit, ...], span: StrokeSpan) -> Happening:
    strokes = [
        Stroke(f"{part.unit.number}{side}", part.share, span)
        for part in played
        for side in ((part.unit.side,) if part.unit.side else SIDES)
    ]
    units = tuple(part.unit for part in played)
    return Happening(role, label, span.onset, span.apex, span.offset, units, tuple(strokes))
