"""How sure the answers about marked clips were, and whether they were right: what confidence is calibrated on.

Right is an event that tells a marked expression by its class, wrong one by another, and one where nothing is marked.
Expressions without a class, and what nobody is sure of, say neither.
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


def answers(found: Sequence[Outcome], around: Background | None) -> Iterator[Answer]:
    """Of marked expressions in every way in which they were played, and of what was told around them."""
    for each in found:
        if each.event is not None and each.mark.class_ in MEGC3:
            yield Answer(each.event.kind, each.event.confidence, coarse(each.event.label) == each.mark.class_)
    for alarm in around.alarms if around else ():
        yield Answer(alarm.kind, alarm.confidence, False)


def line(told: Sequence[Answer]) -> Line:
    """That of `calibrated` with the least log loss; the targets are softened as by Platt (1999), for there are few."""
    said = np.array([logit(each.confidence) for each in told])
    right = np.array([each.right for each in told])
    hits, misses = right.sum(), (~right).sum()
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(x: Floats) -> float:
        logits = x[0] + np.exp(x[1]) * said
        return float((np.logaddexp(0.0, logits) - wanted * logits).mean() + MUCH * x[1] ** 2)

    begin, slope = minimize(loss, np.zeros(2)).x
    return round(float(begin), 2), round(float(np.exp(slope)), 2)
