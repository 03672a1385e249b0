"""What mouths do that is no expression: they speak, chew, are licked, bitten, pursed, breathe and swallow.

Speech opens and shuts the mouth 2 to 7 times a second (Chandrasekaran et al. 2009); who chews does so 1 to 2 times a
second (Po et al. 2011). All other figures are ours.
"""

from __future__ import annotations

import numpy as np

from train.synthesis.face.channels import SIDES
from train.synthesis.script.happening import Happening, distraction
from train.synthesis.script.strokes import Stroke, StrokeSpan

#: What the lips do once: channels, and the most of each.
ONCE: tuple[dict[str, float], ...] = (
    {"23": 0.9, "jaw": 0.05},  # rolled in, licked or bitten
    {"pucker": 0.6, "24": 0.2},
    {"jaw": 0.15, "25": 0.3, "round": 0.2},  # a breath
    {"17": 0.3, "jaw-aside": 0.1, "lips-shut": 0.2},  # swallowed
)


def speech(onset: float, rng: np.random.Generator) -> Happening:
    """Syllables: the jaw opens and shuts, lips round, spread or purse, at 2 to 7 a second."""
    length, rate = rng.uniform(0.4, 3.0), rng.uniform(2.0, 7.0)
    strokes, t = [], onset
    while t < onset + length:
        syllable = rng.uniform(0.7, 1.3) / rate
        peak = t + syllable * rng.uniform(0.35, 0.6)
        span = StrokeSpan(t, peak, peak + 0.1 * syllable, t + 1.1 * syllable)
        strokes.append(Stroke("jaw", rng.uniform(0.03, 0.2), span))
        lips = ("round", "pucker", "20", "10", "25")[int(rng.integers(5))]
        sides = ("",) if lips in ("round", "pucker") else SIDES
        strokes += [Stroke(f"{lips}{side}", rng.uniform(0.05, 0.3), span) for side in sides]
        t += syllable
    end = max(stroke.span.offset for stroke in strokes)
    return distraction("speech", StrokeSpan(onset, strokes[0].span.apex, end, end), strokes)


def mouth(onset: float, rng: np.random.Generator) -> Happening:
    """What a mouth does that says nothing: it chews, or licks, bites or purses its lips, breathes or swallows once."""
    return (_chewing if rng.random() < 0.3 else _once)(onset, rng)


def _chewing(onset: float, rng: np.random.Generator) -> Happening:
    length, rate = rng.uniform(1.0, 5.0), rng.uniform(1.0, 2.0)
    aside, strokes, t = rng.uniform(-0.35, 0.35), [], onset
    while t < onset + length:
        cycle = rng.uniform(0.8, 1.2) / rate
        opened = t + cycle * rng.uniform(0.35, 0.5)
        span = StrokeSpan(t, opened, opened + 0.05 * cycle, t + cycle)
        depth = rng.uniform(0.05, 0.18)
        strokes += [Stroke("jaw", depth, span), Stroke("lips-shut", depth * rng.uniform(0.5, 1.0), span)]
        strokes.append(Stroke("jaw-aside", aside * rng.uniform(0.5, 1.0), span))
        bite = StrokeSpan(opened, t + cycle, t + 1.05 * cycle, t + 1.4 * cycle)
        strokes += [Stroke(f"{unit}{side}", rng.uniform(0.0, 0.15), bite) for unit in (14, 24) for side in SIDES]
        t += cycle
    end = max(stroke.span.offset for stroke in strokes)
    return distraction("mouth", StrokeSpan(onset, strokes[0].span.apex, end, end), strokes)


def _once(onset: float, rng: np.random.Generator) -> Happening:
    rise, stay, fall = rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.8), rng.uniform(0.15, 0.5)
    span = StrokeSpan(onset, onset + rise, onset + rise + stay, onset + rise + stay + fall)
    share, shown = rng.uniform(0.3, 1.0), ONCE[int(rng.integers(len(ONCE)))]
    sides = {name: SIDES if name.isdigit() else ("",) for name in shown}
    strokes = [Stroke(f"{name}{side}", share * most, span) for name, most in shown.items() for side in sides[name]]
    return distraction("mouth", span, strokes)
