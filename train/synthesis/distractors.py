"""What faces do that is no micro-expression: blinks, gaze shifts, speech and other work of the mouth, turns of the
head, hands before the face, macro-expressions.

Each is a list of strokes with one span; how often each happens is the configuration's, per minute. Blinks: 17 a
minute at rest, 26 in talk (Bentivoglio et al. 1997); lids come up more slowly than they go down, and many do not shut
whole (Sforza et al. 2008); spontaneous blinks are long and vary much (VanderWerf et al. 2003). Gaze: jumps, the longer
the farther they go, and the upper lid follows what is looked at (Leigh and Zee 2015). Speech: the mouth opens and shuts
2 to 7 times a second (Chandrasekaran et al. 2009). Who chews does so 1 to 2 times a second (Po et al. 2011). All other
figures are ours, how long lids and jumps take among them: 0.07-0.11 s down, 0.12-0.28 s up, 0.02-0.08 s for a jump of
any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from realtime.labels import MEGC3
from train.datasets.action_units import ActionUnit
from train.synthesis.channels import SIDES
from train.synthesis.hand import Hand, reached
from train.synthesis.prototypes import Played, expression
from train.synthesis.strokes import Span, Stroke, macro_length, macro_span, micro_span

Role = Literal["micro", "macro", "blink", "gaze", "speech", "mouth", "turn", "hand"]
HIDING: tuple[Role, ...] = ("macro", "hand")  # an expression that happens meanwhile is not to be seen


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
    hand: Hand | None = None


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


def mouth(onset: float, rng: np.random.Generator) -> Happening:
    """What a mouth does that says nothing: it chews, or licks, bites or purses its lips, breathes or swallows once."""
    return (_chewing if rng.random() < 0.3 else _once)(onset, rng)


def turn(onset: float, rng: np.random.Generator) -> Happening:
    """A turn of 2 to 10 degrees and back, a nod or a shake of one to three times, or a lean to or from the camera."""
    kind = rng.random()
    return (_turned if kind < 0.5 else _nodded if kind < 0.8 else _leant)(onset, rng)


def hand(onset: float, rng: np.random.Generator) -> Happening:
    """A hand comes up, touches or rubs the face, and goes."""
    shown = reached(onset, rng)
    return replace(_other("hand", shown.span, []), hand=shown)


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


def _shown(role: Role, label: str, played: tuple[Played, ...], span: Span) -> Happening:
    strokes = [
        Stroke(f"{part.unit.number}{side}", part.share, span)
        for part in played
        for side in ((part.unit.side,) if part.unit.side else SIDES)
    ]
    units = tuple(part.unit for part in played)
    return Happening(role, label, span.onset, span.apex, span.offset, units, tuple(strokes))


def _chewing(onset: float, rng: np.random.Generator) -> Happening:
    length, rate = rng.uniform(1.0, 5.0), rng.uniform(1.0, 2.0)
    aside, strokes, t = rng.uniform(-0.35, 0.35), [], onset
    while t < onset + length:
        cycle = rng.uniform(0.8, 1.2) / rate
        opened = t + cycle * rng.uniform(0.35, 0.5)
        span = Span(t, opened, opened + 0.05 * cycle, t + cycle)
        depth = rng.uniform(0.05, 0.18)
        strokes += [Stroke("jaw", depth, span), Stroke("lips-shut", depth * rng.uniform(0.5, 1.0), span)]
        strokes.append(Stroke("jaw-aside", aside * rng.uniform(0.5, 1.0), span))
        bite = Span(opened, t + cycle, t + 1.05 * cycle, t + 1.4 * cycle)
        strokes += [Stroke(f"{unit}{side}", rng.uniform(0.0, 0.15), bite) for unit in (14, 24) for side in SIDES]
        t += cycle
    end = max(stroke.span.offset for stroke in strokes)
    return _other("mouth", Span(onset, strokes[0].span.apex, end, end), strokes)


#: What the lips do once: channels, and the most of each.
ONCE: tuple[dict[str, float], ...] = (
    {"23": 0.9, "jaw": 0.05},  # rolled in, licked or bitten
    {"pucker": 0.6, "24": 0.2},
    {"jaw": 0.15, "25": 0.3, "round": 0.2},  # a breath
    {"17": 0.3, "jaw-aside": 0.1, "lips-shut": 0.2},  # swallowed
)


def _once(onset: float, rng: np.random.Generator) -> Happening:
    rise, stay, fall = rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.8), rng.uniform(0.15, 0.5)
    span = Span(onset, onset + rise, onset + rise + stay, onset + rise + stay + fall)
    share, shown = rng.uniform(0.3, 1.0), ONCE[int(rng.integers(len(ONCE)))]
    sides = {name: SIDES if name.isdigit() else ("",) for name in shown}
    strokes = [Stroke(f"{name}{side}", share * most, span) for name, most in shown.items() for side in sides[name]]
    return _other("mouth", span, strokes)


def _turned(onset: float, rng: np.random.Generator) -> Happening:
    out, back, stay = rng.uniform(0.25, 0.9), rng.uniform(0.3, 1.0), rng.uniform(0.0, 1.0)
    span = Span(onset, onset + out, onset + out + stay, onset + out + stay + back)
    sizes = {"yaw": rng.uniform(-10, 10), "pitch": rng.uniform(-6, 6), "roll": rng.uniform(-5, 5)}
    return _other("turn", span, _posed(sizes, span))


def _nodded(onset: float, rng: np.random.Generator) -> Happening:
    name, other = ("pitch", "yaw") if rng.random() < 0.6 else ("yaw", "pitch")
    rate, size, strokes, t = rng.uniform(2.0, 4.0), rng.uniform(1.5, 7.0) * rng.choice((-1.0, 1.0)), [], onset
    for _ in range(int(rng.integers(1, 4))):
        for sign in (1.0, -0.6):
            half = 0.5 * rng.uniform(0.85, 1.15) / rate
            span = Span(t, t + 0.5 * half, t + 0.55 * half, t + 1.05 * half)
            strokes += _posed({name: sign * size, other: 0.15 * size * rng.uniform(-1.0, 1.0)}, span)
            t += half
        size *= rng.uniform(0.5, 1.0)
    end = max(stroke.span.offset for stroke in strokes)
    return _other("turn", Span(onset, strokes[0].span.apex, end, end), strokes)


def _leant(onset: float, rng: np.random.Generator) -> Happening:
    out, back, stay = rng.uniform(0.4, 1.2), rng.uniform(0.4, 1.2), rng.uniform(0.0, 2.0)
    span = Span(onset, onset + out, onset + out + stay, onset + out + stay + back)
    moved = {"nearer": rng.uniform(-0.1, 0.12), "x": rng.uniform(-0.2, 0.2), "y": rng.uniform(-0.15, 0.15)}
    return _other("turn", span, [Stroke(name, size, span) for name, size in moved.items()])


def _posed(degrees: dict[str, float], span: Span) -> list[Stroke]:
    """Strokes of a head that turns so far, and shifts with it."""
    shifts = {"x": degrees.get("yaw", 0.0) * 0.008, "y": -degrees.get("pitch", 0.0) * 0.006}
    return [Stroke(name, size, span) for name, size in (degrees | shifts).items()]


def _other(role: Role, span: Span, strokes: list[Stroke]) -> Happening:
    return Happening(role, "", span.onset, span.apex, span.offset, (), tuple(strokes))
