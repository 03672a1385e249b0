"""Which action units show the seven expressions of DFEW, for faces that are to show one of them strongly.

The combinations are those of EMFACS and of the FACS Investigator's Guide (Ekman, Friesen and Hager 2002, table of
emotion predictions; Friesen and Ekman 1983), as far as `channels` has their units: happiness 6+12, sadness 1+4+15,
anger 4+5+7+23, surprise 1+2+5+26, disgust 9 or 10, fear 1+2+4+5+20+26, with their major variants. How often each is
drawn is ours. "neutral" has none.
"""

from __future__ import annotations

import numpy as np

from realtime.labels import VOCABULARIES
from train.synthesis.face.channels import SIDES
from train.synthesis.script.prototypes import Units
from train.synthesis.script.strokes import Stroke, StrokeSpan

VOCABULARY = "dfew-7"
LABELS = VOCABULARIES[VOCABULARY]
NEUTRAL = "neutral"

#: Combination -> how often it is drawn among its class.
EMOTIONS: dict[str, dict[Units, float]] = {
    "happiness": {(6, 12): 5, (12,): 2, (6, 12, 25): 3, (6, 7, 12): 1, (6, 12, 25, 26): 1},
    "sadness": {(1, 4, 15): 4, (1, 4): 2, (1, 15): 1, (1, 4, 15, 17): 3, (15, 17): 1},
    "anger": {(4, 5, 7, 23): 4, (4, 5, 7): 2, (4, 7, 24): 2, (4, 7, 17, 23): 2, (4, 5, 7, 25): 1, (4, 7): 1},
    "surprise": {(1, 2, 5, 26): 4, (1, 2, 5, 25, 26): 4, (1, 2, 26): 1, (1, 2, 5): 1},
    "disgust": {(9,): 1, (9, 15): 2, (9, 17): 2, (10,): 1, (10, 17): 2, (9, 10): 2, (10, 15): 1},
    "fear": {(1, 2, 4, 5, 20, 26): 4, (1, 2, 4, 5): 1, (1, 2, 4, 5, 25): 2, (1, 2, 4, 5, 20, 25): 3, (1, 4, 5, 20): 1},
}
UNLIKE = (0.85, 1.15)  # a unit's own share of the expression's strength


def units(label: str, rng: np.random.Generator) -> dict[str, float]:
    """A combination of `label`: channels of `channels.NAMES`, both sides alike, with weights near 1."""
    combinations = list(EMOTIONS[label])
    often = np.array([EMOTIONS[label][each] for each in combinations], np.float64)
    chosen = combinations[int(rng.choice(len(combinations), p=often / often.sum()))]
    weights = rng.uniform(*UNLIKE, len(chosen))
    return {f"{unit}{side}": float(weight) for unit, weight in zip(chosen, weights, strict=True) for side in SIDES}


def strokes(weights: dict[str, float], amount: float, span: StrokeSpan) -> tuple[Stroke, ...]:
    """The channels of `weights`, along `span`, up to `amount` times their weights; a negative one takes them away."""
    return tuple(Stroke(name, amount * weight, span) for name, weight in weights.items())
