"""A picture brought from rest to an expression and, mostly, back: what happens in one clip of a dynamic expression.

A neutral picture plays the expression's units. A picture that shows the expression has them taken away first: at -a
of its units it is nearer to rest, at 0 it is itself, with the wrinkles and the shading that no warp makes. How near
to rest depends on the picture: taking a unit away leaves what it did to the skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from train.config.clips import Enactment
from train.synthesis.script.distractors import MAKERS
from train.synthesis.script.emotions import EMOTIONS, NEUTRAL, strokes, units
from train.synthesis.script.happening import Happening
from train.synthesis.script.scene import Scene, composed, one_of, poisson, rates
from train.synthesis.script.strokes import Stroke, StrokeSpan, macro_length, macro_span

#: Whether the units are played on a neutral picture, taken from one that shows them, or there are none.
Manner = Literal["forward", "backward", "still"]

LEAD_S, TAIL_S = (0.15, 0.5), (0.0, 0.3)  # rest before the onset and after the offset
FAINT = 0.12  # most share of full strength of a movement that is still neutral


@dataclass(frozen=True, slots=True)
class Enacted:
    """One clip before it is filmed. A still face has a span too: a stretch of the film, which shows nothing."""

    label: str
    manner: Manner
    span: StrokeSpan
    scene: Scene


def enact(label: str, manner: Manner, clips: Enactment, rng: np.random.Generator) -> Enacted:
    """A film of about the length of a macro-expression (0.5 to 4 s), with the distractors of `clips`."""
    lead, length, tail = rng.uniform(*LEAD_S), macro_length(rng), rng.uniform(*TAIL_S)
    span, seconds = macro_span(lead, length, rng), lead + length + tail
    on = rates(clips.distractors)
    found = [MAKERS[name](float(at), rng) for name, rate in on.items() for at in poisson(rate, seconds, rng)]
    if manner == "still":
        found += one_of(on, seconds, rng)  # something moves in whatever the detector takes for an event
    played = _played(label, manner, clips, span, seconds, rng)
    found.append(Happening("macro", label, span.onset, span.apex, span.offset, (), played))
    return Enacted(label, manner, span, composed(seconds, found, clips.distractors, rng))


def _played(
    label: str, manner: Manner, clips: Enactment, span: StrokeSpan, seconds: float, rng: np.random.Generator
) -> tuple[Stroke, ...]:
    if manner == "still":
        faint = list(EMOTIONS)[int(rng.integers(len(EMOTIONS)))]
        return strokes(units(faint, rng), rng.uniform(0.0, FAINT), span)
    weights = units(label, rng)
    if manner == "forward":
        return strokes(weights, rng.uniform(*clips.forward), span)
    amount = rng.uniform(*clips.back)
    throughout = StrokeSpan(-2.0, -1.0, seconds + 1.0, seconds + 2.0)
    return strokes(weights, -amount, throughout) + strokes(weights, amount, span)


def manner_of(shown: str, label: str) -> Manner:
    """How a picture that shows one class comes to play another; ValueError where it cannot."""
    if shown == label:
        return "still" if label == NEUTRAL else "backward"
    if shown != NEUTRAL:
        raise ValueError(f"a face that shows {shown} cannot come to show {label}; a neutral one is needed")
    return "forward"
