"""How sure the answers about marked clips were, and whether they were right: what confidence is calibrated on.

Right is an event that tells a marked expression by its class, wrong one by another, and one where nothing is marked.
Expressions without a class, and what nobody is sure of, say neither. What is false is counted at the clips' own speed
alone, so all the ways in which an expression was played count as one together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from realtime.labels import MEGC3
from realtime.recognition.confidence import Line, logit
from realtime.records import Floats, Kind
from train.chain.real.background import Background
from train.chain.real.outcome import Outcome, coarse

MUCH = 0.01  # by which a slope away from 1 is held to be unlikely, as a share of the answers' log loss


@dataclass(frozen=True, slots=True)
class Answer:
    """The last one about an event that was kept."""

    kind: Kind
    confidence: float
    right: bool
    weight: float = 1.0


def answers(found: Sequence[Outcome], around: Background | None) -> Iterator[Answer]:
    """Of marked expressions in every way in which they were played, and of what was told around them."""
    ways = len({each.playing for each in found})
    for each in found:
        if each.event is not None and each.mark.class_ in MEGC3:
            right = coarse(each.event.label) == each.mark.class_
            yield Answer(each.event.kind, each.event.confidence, right, 1 / ways)
    for alarm in around.alarms if around else ():
        yield Answer(alarm.kind, alarm.confidence, False)


def line(told: Sequence[Answer]) -> Line:
    """That of `calibrated` with the least log loss; the targets are softened as by Platt (1999), for there are few."""
    said = np.array([logit(each.confidence) for each in told])
    right, weights = np.array([each.right for each in told]), np.array([each.weight for each in told])
    hits, misses = weights[right].sum(), weights[~right].sum()
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(x: Floats) -> float:
        logits = x[0] + np.exp(x[1]) * said
        return float(np.average(np.logaddexp(0.0, logits) - wanted * logits, weights=weights) + MUCH * x[1] ** 2)

    begin, slope = minimize(loss, np.zeros(2)).x
    return round(float(begin), 2), round(float(np.exp(slope)), 2)
