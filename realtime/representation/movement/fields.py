"""How a face moved during an event, on a coarse grid: sampled at moments, and freed of how strong the movement was.

A field is a displacement over `LAG_S` in outer eye distances, float32 (2, S, S): right, down; `LaggedFlow` makes one of
every frame. Training brings fields that it knows exactly through the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from realtime.records import Floats, Times

Mask = npt.NDArray[np.bool_]
Scale = Literal["each", "both"]

FIELD_PX = 28  # side of the grid that lies over the crop
#: A crop is held against the one from so long before: longer than the onset of a micro-expression takes, so that at its
#: apex the face is seen against what it was at rest. Every engine of fields has learned movements over this lag.
LAG_S = 0.35
#: The eye openings in a crop of side 1, and half the side of their boxes: lids and gaze move there.
EYES, HALF = ((0.318, 0.395), (0.682, 0.395)), 0.06
FACE, AXES = (0.5, 0.52), (0.5, 0.56)  # an ellipse of the crop: outside of it is no face


def moments(onset: float, apex: float, frames: int) -> Times:
    """`frames` moments, evenly from shortly after the onset, when nothing has moved yet, to the apex: (frames,).

    What follows the apex is left out: early answers do not see it, it is the way back of what was seen already, and
    half of the data sets do not say where it ends.
    """
    return onset + (apex - onset) * np.arange(1, frames + 1) / frames


def sampled(times: Times, fields: Floats, wanted: Times) -> Floats:
    """Fields (T, 2, S, S) of frames at `times` (T,), at the moments `wanted` (N,): float32 (N, 2, S, S).

    Each is a mean with weights that fall linearly to nothing at the next moment or, where frames are farther apart
    than moments, at the next frame. So slow cameras are interpolated, and fast ones lose their noise, not their frames.
    """
    apart = float(np.diff(times).max()) if len(times) > 1 else 0.0
    step = float(np.diff(wanted).max()) if len(wanted) > 1 else 0.0
    away = np.abs(wanted[:, None] - times)  # (N, T)
    weights = np.clip(1.0 - away / max(step, apart, 1e-9), 0.0, None)
    lost = weights.sum(1) == 0.0  # outside of what was seen: the nearest frame
    weights[lost, away[lost].argmin(1)] = 1.0
    weights /= weights.sum(1, keepdims=True)
    return np.asarray(np.tensordot(weights.astype(np.float32), fields.astype(np.float32, copy=False), 1), np.float32)


def mirrored(fields: Floats) -> Floats:
    """Fields (..., 2, S, S) as a mirror shows them: what went right goes left."""
    turned = fields[..., ::-1].copy()
    turned[..., 0, :, :] *= -1.0
    return turned


def strain(fields: Floats) -> Floats:
    """Magnitude (..., S, S) of the strain of fields (..., 2, S, S): sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2).

    Shreve et al. 2011. It is blind to shift and rotation, and so to most of what a head does.
    """
    u_y, u_x = np.gradient(fields[..., 0, :, :], axis=(-2, -1))
    v_y, v_x = np.gradient(fields[..., 1, :, :], axis=(-2, -1))
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2), np.float32)


def normalised(fields: Floats, scale: Scale, floor: float, limit: float) -> Floats:
    """Events (..., N, 2, S, S) -> (..., N, 3, S, S): u, v and strain of the face, each over its own size, in `limit`s.

    A size is the root mean square over the event and the face without its eyes, where a blink moves more than any
    expression does, and at least `floor` eye distances. With the scale "both", u and v share one.
    """
    side = fields.shape[-1]
    face, measured = _masks(side)
    found = np.concatenate([fields, strain(fields)[..., None, :, :]], axis=-3) * face
    squares = np.square(found[..., measured]).mean((-3, -1), keepdims=True)[..., None]  # (..., 1, 3, 1, 1)
    if scale == "both":
        squares[..., :2, :, :] = squares[..., :2, :, :].mean(-3, keepdims=True)
    found /= np.maximum(np.sqrt(squares), floor)
    return np.asarray(np.clip(found, -limit, limit), np.float32)


def on_face(field: Floats) -> Floats:
    """A field (..., S, S) with nothing outside of the face, where hair and background move."""
    return np.asarray(field * _masks(field.shape[-1])[0], np.float32)


@cache
def _masks(side: int) -> tuple[Floats, Mask]:
    """1 on the face, (S, S); and where sizes are measured. Once for all who ask, so nobody may write there."""
    axis = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(axis, axis)
    face = ((x - FACE[0]) / AXES[0]) ** 2 + ((y - FACE[1]) / AXES[1]) ** 2 <= 1.0
    return face.astype(np.float32), face & ~_inside(EYES, x, y)


def _inside(boxes: Sequence[tuple[float, float]], x: Times, y: Times) -> Mask:
    return np.asarray(np.any([(np.abs(x - cx) < HALF) & (np.abs(y - cy) < HALF) for cx, cy in boxes], axis=0), np.bool_)
