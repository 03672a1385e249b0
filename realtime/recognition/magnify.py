"""A movement made larger, so that a person can see what the detector saw."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike

from realtime.records import Floats, Image
from realtime.representation.movement.motion import Flow, grey, head_fit, layout, residual

ROUNDS = 6  # of the fixed-point search; each leaves less than half of the error, as long as the field is smooth
SMOOTH = 1 / 64  # of the crop's side: what moves is skin, and skin moves smoothly
EDGE = 1 / 6  # of the side, over which the movement fades out: what would come from beyond is not there


def exaggerate(onset: Image, apex: Image, times: float) -> Image:
    """`onset` with its movement towards `apex` made `times` as large; crops uint8 (S, S, 3), RGB, of one face.

    A point X of the onset that moved by u(X) is drawn at X + times * u(X), u being the flow without the
    head's part; 1 gives the apex as far as the flow explains it, 0 the onset. (The Lagrangian way of
    Liu et al. 2005, Motion magnification; one layer, nothing is filled in.)
    """
    side = onset.shape[0]
    place = layout(side)
    flow = Flow()(grey(onset), grey(apex))
    moved = residual(flow, head_fit(flow.reshape(-1, 2), place), place)
    smooth = np.asarray(cv2.GaussianBlur(moved, (0, 0), max(SMOOTH * side, 0.5)), np.float32) * _fade(side)
    here: Floats = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=2).astype(np.float32)
    came_from = here
    for _ in range(ROUNDS):  # solve X + times * u(X) = here for X
        came_from = here - np.float32(times) * np.asarray(_looked_up(smooth, came_from, cv2.INTER_LINEAR), np.float32)
    return np.asarray(_looked_up(onset, came_from, cv2.INTER_CUBIC), np.uint8)


def _fade(side: int) -> Floats:
    """(S, S, 1): 1 inside, 0 at the edges."""
    along = np.clip(np.minimum(np.arange(side), np.arange(side)[::-1]) / (EDGE * side), 0.0, 1.0)
    return np.asarray(np.minimum.outer(along, along)[..., None], np.float32)


def _looked_up(values: MatLike, places: Floats, interpolation: int) -> MatLike:
    """`values` at `places` (S, S, 2), x and y in px."""
    return cv2.remap(values, places[..., 0], places[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)
