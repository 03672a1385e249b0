"""What heads do that is no expression: they turn and come back, nod, shake, and lean. The figures are ours."""

from __future__ import annotations

import numpy as np

from train.synthesis.script.happening import Happening, distraction
from train.synthesis.script.strokes import Stroke, StrokeSpan


def turn(onset: float, rng: np.random.Generator) -> Happening:
    """A turn of 2 to 10 degrees and back, a nod or a shake of one to three times, or a lean to or from the camera."""
    kind = rng.random()
    return (_turned if kind < 0.5 else _nodded if kind < 0.8 else _leant)(onset, rng)


def _turned(onset: float, rng: np.random.Generator) -> Happening:
    out, back, stay = rng.uniform(0.25, 0.9), rng.uniform(0.3, 1.0), rng.uniform(0.0, 1.0)
    span = StrokeSpan(onset, onset + out, onset + out + stay, onset + out + stay + back)
    sizes = {"yaw": rng.uniform(-10, 10), "pitch": rng.uniform(-6, 6), "roll": rng.uniform(-5, 5)}
    return distraction("turn", span, _posed(sizes, span))


def _nodded(onset: float, rng: np.random.Generator) -> Happening:
    name, other = ("pitch", "yaw") if rng.random() < 0.6 else ("yaw", "pitch")
    rate, size, strokes, t = rng.uniform(2.0, 4.0), rng.uniform(1.5, 7.0) * rng.choice((-1.0, 1.0)), [], onset
    for _ in range(int(rng.integers(1, 4))):
        for sign in (1.0, -0.6):
            half = 0.5 * rng.uniform(0.85, 1.15) / rate
            span = StrokeSpan(t, t + 0.5 * half, t + 0.55 * half, t + 1.05 * half)
            strokes += _posed({name: sign * size, other: 0.15 * size * rng.uniform(-1.0, 1.0)}, span)
            t += half
        size *= rng.uniform(0.5, 1.0)
    end = max(stroke.span.offset for stroke in strokes)
    return distraction("turn", StrokeSpan(onset, strokes[0].span.apex, end, end), strokes)


def _leant(onset: float, rng: np.random.Generator) -> Happening:
    out, back, stay = rng.uniform(0.4, 1.2), rng.uniform(0.4, 1.2), rng.uniform(0.0, 2.0)
    span = StrokeSpan(onset, onset + out, onset + out + stay, onset + out + stay + back)
    moved = {"nearer": rng.uniform(-0.1, 0.12), "x": rng.uniform(-0.2, 0.2), "y": rng.uniform(-0.15, 0.15)}
    return distraction("turn", span, [Stroke(name, size, span) for name, size in moved.items()])


def _posed(degrees: dict[str, float], span: StrokeSpan) -> list[Stroke]:
    """Strokes of a head that turns so far, and shifts with it."""
    shifts = {"x": degrees.get("yaw", 0.0) * 0.008, "y": -degrees.get("pitch", 0.0) * 0.006}
    return [Stroke(name, size, span) for name, size in (degrees | shifts).items()]
