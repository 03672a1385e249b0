"""Movements as other faces might have made them: of other proportions, in other parts more, on one side alone."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.records import Floats

KNOTS = 5  # a side: how much a face moves changes about so often over it
GAIN, SCALE, SHIFT = 0.3, 0.08, 0.03  # deviations: of the gain's logarithm, of the size, and of the place over the side
ONE_SIDE = 0.15  # share of the movements that one half of the face makes alone
SOFT = 0.05  # of the side: how soft its edge is


def distorted(field: Floats, rng: np.random.Generator) -> Floats:
    """A field (2, S, S) changed at random."""
    side = field.shape[-1]
    scale = 1.0 + SCALE * rng.standard_normal()
    shift = SHIFT * side * rng.standard_normal(2) + (1.0 - scale) * (side - 1) / 2
    place = np.column_stack([scale * np.eye(2), shift]).astype(np.float32)
    moved = cv2.warpAffine(
        np.ascontiguousarray(field.transpose(1, 2, 0)), place, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    gain = np.exp(GAIN * cv2.resize(rng.standard_normal((KNOTS, KNOTS)), (side, side), interpolation=cv2.INTER_CUBIC))
    if rng.random() < ONE_SIDE:
        gain = gain * _half(side, rng)
    return np.asarray(moved.transpose(2, 0, 1) * gain, np.float32)


def _half(side: int, rng: np.random.Generator) -> Floats:
    """(S,): 1 on the left or on the right half, 0 on the other."""
    across = (np.arange(side) + 0.5) / side - 0.5
    return np.asarray(1.0 / (1.0 + np.exp(rng.choice((-1.0, 1.0)) * across / SOFT)), np.float32)
