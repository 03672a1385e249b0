"""Something that a face, a head or a hand does: strokes with one span, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from train.datasets.annotation.action_units import ActionUnit
from train.synthesis.script.hand import Hand
from train.synthesis.script.strokes import Stroke, StrokeSpan

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


def distraction(role: Role, span: StrokeSpan, strokes: Sequence[Stroke], hand: Hand | None = None) -> Happening:
    """What is no expression."""
    return Happening(role, "", span.onset, span.apex, span.offset, (), tuple(strokes), hand)
