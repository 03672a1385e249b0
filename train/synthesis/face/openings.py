"""The eyes and the mouth of a picture: where skin ends, and what shows between lids and between lips.

An opening has an upper and a lower edge that move apart or together. What lies above the upper edge and what lies
below the lower one are two layers of skin, each with a displacement of its own; between them shows the inside:
the eyeball as the picture has it and goes on behind the lids, the mouth's dark and a hint of teeth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.faces import landmarks as lm
from realtime.records import Floats, Image

Edge = npt.NDArray[np.float64]

FINE = 8  # edges are drawn so many times larger and shrunk
LASHES = 0.035  # the upper lid's edge lies so much lower, in eye widths: its lashes come along
UNDER_PX = 1.0  # where the edges touch, the lower layer goes on under the upper one: or the inside would shine through
GAP = 0.02  # lips that are further apart, in mouth widths, show an inside of their own
FADE = 0.05  # what it shows ends so far behind the lips, in mouth widths
DARK, TEETH = 0.22, 0.85  # of the picture's brightness at the lips
INPAINT_PX = 3

#: Upper and lower edge by MediaPipe's points, from the picture's left to its right.
EDGES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "left eye": (lm.LEFT_EYE[:9], (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    "right eye": (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
    ),
    "mouth": (
        (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
        (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """One of them in a picture (S, S)."""

    name: str
    left: int  #: the box that its edges may move in
    top: int
    above: Floats  #: (h, w) 0..1: how much of a pixel is skin of the upper layer
    below: Floats  #: the same of the lower one
    inside: Image  #: (h, w, 3) what shows between, over the whole box


def opening(name: str, picture: Image, points: Floats, teeth: float) -> Opening:
    """The opening `name` of a picture (S, S, 3) with landmarks (468, 2+) px; `teeth` 0..1: how bright they show."""
    upper, lower = (points[list(edge), :2].astype(np.float64) for edge in EDGES[name])
    width = float(np.hypot(*(upper[-1] - upper[0])))
    if name != "mouth":
        upper = upper + np.array([0.0, LASHES * width])
        lower = np.maximum(lower, upper * [0.0, 1.0] + lower * [1.0, 0.0])
    left, top, right, bottom = _box(upper, lower, width, len(picture))
    upper, lower = upper - [left, top], lower - [left, top]
    shape = (bottom - top, right - left)
    under = lower - np.clip(UNDER_PX + (upper - lower) * [0.0, 1.0], 0.0, UNDER_PX) * [0.0, 1.0]
    above = _half(upper, shape, 0)
    below = _half(under, shape, shape[0])
    part = picture[top:bottom, left:right]
    if name == "mouth":
        inside = _mouth(part, upper, lower, width, teeth, above, below)
    else:
        inside = _continued(part, np.clip(1.0 - above - below, 0.0, 1.0))
    return Opening(name, left, top, above, below, inside)


def _box(upper: Edge, lower: Edge, width: float, size_px: int) -> tuple[int, int, int, int]:
    edges = np.concatenate([upper, lower])
    margin = np.array([0.45, 0.55]) * width
    low = np.clip(np.floor(edges.min(0) - margin), 0, size_px - 8).astype(int)
    high = np.clip(np.ceil(edges.max(0) + margin), low + 8, size_px).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _half(edge: Edge, shape: tuple[int, int], side: float) -> Floats:
    """The part of the box between `edge`, drawn on to both sides, and its top (0) or bottom."""
    far = shape[1] + 8.0
    line = np.vstack([[-8.0, edge[0, 1]], edge, [far, edge[-1, 1]]])
    end = -8.0 if side == 0 else side + 8.0
    corners = np.vstack([line, [far, end], [-8.0, end]])
    canvas = np.zeros((shape[0] * FINE, shape[1] * FINE), np.uint8)
    cv2.fillPoly(canvas, [np.round((corners + 0.5) * FINE).astype(np.int32)], (255,))
    return np.asarray(cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA) / np.float32(255), np.float32)


def _continued(part: Image, shown: Floats) -> Image:
    """What shows, drawn on behind the skin around it."""
    hidden = (shown < 0.6).astype(np.uint8)
    if hidden.all():
        return part
    near = cv2.dilate(1 - hidden, np.ones((3, 3), np.uint8), iterations=max(len(part) // 4, 1))
    filled = cv2.inpaint(np.ascontiguousarray(part), np.minimum(hidden, near), INPAINT_PX, cv2.INPAINT_TELEA)
    return np.asarray(filled, np.uint8)


def _mouth(part: Image, upper: Edge, lower: Edge, width: float, teeth: float, above: Floats, below: Floats) -> Image:
    """Dark, with teeth below the upper lip; a mouth that is open already shows its own inside."""
    shown = np.clip(1.0 - above - below, 0.0, 1.0)
    middle = len(upper) // 2
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    under = (rows - np.interp(columns[0], upper[:, 0], upper[:, 1]).astype(np.float32)) / np.float32(width)
    row = int(np.clip(upper[middle, 1], 0, part.shape[0] - 1))
    lips = part[row, int(upper[middle, 0])].astype(np.float32)
    bright = float(part.reshape(-1, 3).mean(1).max())
    band = (
        teeth
        * np.exp(-(((under - 0.07) / 0.09) ** 2))
        * np.exp(-(((columns - upper[middle, 0]) / (0.35 * np.float32(width))) ** 2))
    )
    inside = (1 - band[..., None]) * DARK * lips + band[..., None] * TEETH * bright * np.array([0.9, 0.87, 0.8])
    if lower[middle, 1] - upper[middle, 1] > GAP * width and shown.max() > 0.9:
        near = cv2.distanceTransform((shown < 0.6).astype(np.uint8), cv2.DIST_L2, 5) / (FADE * width)
        kept = np.exp(-(near[..., None] ** 2))
        inside = kept * _continued(part, shown) + (1.0 - kept) * inside
    return np.asarray(np.clip(inside, 0, 255), np.uint8)
