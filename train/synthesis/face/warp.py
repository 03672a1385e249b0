"""A picture moved by the fields of its face: exact in where things go, layered at eyes and mouth.

What was at x is shown at x + f(x); so a pixel y shows what was at y - b(y) with b(y) = f(y - b(y)), found by
fixed-point steps that begin at the solution of the picture before. Turning the head moves points by the rotation of
where they rest: that expressions turn with it is left out (under 2 % of a movement at 10 degrees).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from realtime.records import Floats, Image
from train.synthesis.face.channels import NAMES
from train.synthesis.face.fields import Fields
from train.synthesis.face.openings import Opening
from train.synthesis.face.performance import Extent, HeadMotion

TOGETHER = 16  # pictures whose displacement is summed in one product
STEPS, STEP_PX = 12, 0.02
SMALL_PX = 0.08  # edges of an opening that move apart by less are one skin
COARSE = 192  # pictures from this size on have their displacement solved at half of it


def rotations(turn: Floats) -> Floats:
    """(T, 3) degrees as `HeadMotion.turn` -> matrices (T, 3, 3) in the axes of `facekit`."""
    yaw, pitch, roll = np.radians(turn.astype(np.float64)).T
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def stacked(*rows: tuple[Floats, ...]) -> Floats:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    about_y = stacked((np.cos(yaw), zero, -np.sin(yaw)), (zero, one, zero), (np.sin(yaw), zero, np.cos(yaw)))
    about_x = stacked((one, zero, zero), (zero, np.cos(pitch), np.sin(pitch)), (zero, -np.sin(pitch), np.cos(pitch)))
    about_z = stacked((np.cos(roll), -np.sin(roll), zero), (np.sin(roll), np.cos(roll), zero), (zero, zero, one))
    return np.asarray(about_z @ about_x @ about_y, np.float32)


def coefficients(fields: Fields, amounts: Floats, pose: HeadMotion) -> Floats:
    """(T, K + 8): what the columns of a basis are multiplied by. `amounts` (T, K) are shares of full strength."""
    grown = (1.0 + pose.nearer)[:, None, None] * rotations(pose.turn) - np.eye(3, dtype=np.float32)
    shift = pose.shift * np.float32(fields.eye_px)
    solid = [np.concatenate([grown[:, row], shift[:, row, None]], axis=1) for row in (0, 1)]
    return np.asarray(np.concatenate([amounts, *solid], axis=1), np.float32)


class Warp:
    """Implements `actor.Actor` with a picture. It keeps its last solution, so one film a thread."""

    def __init__(self, picture: Image, fields: Fields) -> None:
        """`picture` (S, S, 3), or (S, S) if it has no colour."""
        self._picture, self._fields = picture, fields
        self._every = 2 if fields.size_px >= COARSE else 1
        size = fields.size_px
        nodes = np.arange(0, size, self._every, dtype=np.float32)
        self._grid = np.stack(np.meshgrid(nodes, nodes), axis=2)
        self._pixels = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), axis=2)
        self._nodes = self._pixels / np.float32(self._every)  # where each pixel lies on the grid
        basis = fields.upper.reshape(len(fields.upper), size, size, 2)[:, :: self._every, :: self._every]
        self._basis = np.ascontiguousarray(basis.reshape(len(basis), -1))
        self._back: Floats = np.zeros_like(self._grid)
        self._layers = [
            _Layer(fields, number, self._pixels, grey=picture.ndim == 2) for number in range(len(fields.openings))
        ]

    @property
    def extent(self) -> Extent:
        fields = self._fields
        return Extent(fields.size_px, fields.eye_px, fields.scale, fields.most)

    def frames(self, amounts: Floats, pose: HeadMotion) -> Iterator[Image]:
        """uint8 (S, S, 3), or (S, S) of a grey picture, for each row of `amounts` (T, K), in order."""
        weights = coefficients(self._fields, amounts, pose)
        self._back = np.zeros_like(self._grid)
        for start in range(0, len(weights), TOGETHER):
            rows = weights[start : start + TOGETHER]
            used = np.flatnonzero(rows.any(0))
            moved = (rows[:, used] @ self._basis[used]).reshape(len(rows), *self._grid.shape)
            for row, field in zip(rows, moved, strict=True):
                yield self._frame(row, field)

    def between(self, amounts: Floats, pose: HeadMotion) -> Floats:
        """(S, S, 2) px: where what each pixel shows at the first of two moments has gone by the second."""
        fields, size = self._fields, self._fields.size_px
        weights = coefficients(fields, amounts, pose)
        first, second = (weights @ fields.upper).reshape(2, size, size, 2)
        self._back = np.zeros_like(self._grid)
        at = self._pixels - self._solve(np.ascontiguousarray(first[:: self._every, :: self._every]))
        moved: Floats = np.asarray(_sample(second - first, at), np.float32)
        for layer in self._layers:
            layer.carry(moved, at, weights)
        return moved

    def _frame(self, weights: Floats, field: Floats) -> Image:
        back = self._solve(field)
        at = self._pixels - back
        seen = np.asarray(_sample(self._picture, at, cv2.INTER_CUBIC), np.uint8)
        for layer in self._layers:
            layer.lay(seen, self._picture, at, weights)
        return seen

    def _solve(self, field: Floats) -> Floats:
        """The backward displacement (S, S, 2) px of a forward one on the grid."""
        back: Floats = self._back
        for _ in range(STEPS):
            before = back
            back = np.asarray(_sample(field, (self._grid - back) / np.float32(self._every)), np.float32)
            if cv2.norm(back, before, cv2.NORM_INF) < STEP_PX:
                break
        self._back = back
        if self._every == 1:
            return back
        return np.asarray(_sample(back, self._nodes), np.float32)


class _Layer:
    """One opening: what lies below it, and what shows in it."""

    def __init__(self, fields: Fields, number: int, pixels: Floats, *, grey: bool) -> None:
        part: Opening = fields.openings[number]
        self._part, self._apart, self._gaze = part, fields.apart[number], fields.gaze
        self._inside = np.ascontiguousarray(part.inside[..., 0]) if grey else part.inside
        self._eye = part.name != "mouth"
        height, width = part.above.shape
        size = fields.size_px
        box = (slice(part.top, part.top + height), slice(part.left, part.left + width))
        lower = fields.lower.reshape(len(fields.lower), size, size, 2)[:, box[0], box[1]]
        self._lower = np.ascontiguousarray(lower.reshape(len(lower), -1))
        self._grid = np.ascontiguousarray(pixels[box])
        self._corner = np.array([part.left, part.top], np.float32)
        self._size = size

    def carry(self, moved: Floats, at: Floats, weights: Floats) -> None:
        """Put the displacement between two moments, `weights` (2, K + 8), of what lies below and inside."""
        count, height, width = len(NAMES), *self._grid.shape[:2]
        box = (slice(self._part.top, self._part.top + height), slice(self._part.left, self._part.left + width))
        first, second = (weights @ self._lower).reshape(2, height, width, 2)
        solid = ((weights[1] - weights[0])[count:] @ self._lower[count:]).reshape(height, width, 2)
        lower_at = self._solve(first, self._grid)
        above = _sample(self._part.above, at[box] - self._corner)[..., None]
        below = _sample(self._part.below, lower_at - self._corner)[..., None]
        inside = solid + (weights[1] - weights[0])[:count] @ self._gaze if self._eye else solid
        under = below * _sample(second - first, lower_at - self._corner) + (1.0 - below) * inside
        moved[box] = above * moved[box] + (1.0 - above) * under

    def lay(self, seen: Image, picture: Image, at: Floats, weights: Floats) -> None:
        """Put it into the picture `seen` (S, S, 3), whose pixels come from `at` (S, S, 2) of the upper layer."""
        count = len(NAMES)
        amounts = weights[:count]
        gaze = amounts @ self._gaze if self._eye else np.zeros(2, np.float32)
        if float(np.abs(amounts) @ self._apart) + float(np.abs(gaze).max()) < SMALL_PX:
            return
        used = np.flatnonzero(amounts)
        solid = (weights[count:] @ self._lower[count:]).reshape(self._grid.shape)
        forward = (amounts[used] @ self._lower[used]).reshape(self._grid.shape) + solid
        height, width = solid.shape[:2]
        shift = np.round(solid[height // 2, width // 2]).astype(int)  # the box follows the head
        left, top = self._part.left + int(shift[0]), self._part.top + int(shift[1])
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, self._size), min(top + height, self._size)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        grid = self._grid[y0 - top : y1 - top, x0 - left : x1 - left] + shift.astype(np.float32)
        upper_at = np.ascontiguousarray(at[y0:y1, x0:x1])
        lower_at = self._solve(forward, grid)
        above = _sample(self._part.above, upper_at - self._corner)
        below = _sample(self._part.below, lower_at - self._corner)
        if picture.ndim == 3:
            above, below = above[..., None], below[..., None]
        still = grid - _sample(solid, grid - shift.astype(np.float32) - self._corner)
        inside = _sample(self._inside, still - gaze - self._corner)
        under = below * _sample(picture, lower_at, cv2.INTER_CUBIC) + (1.0 - below) * inside
        both = above * seen[y0:y1, x0:x1] + (1.0 - above) * under
        seen[y0:y1, x0:x1] = cv2.convertScaleAbs(both)

    def _solve(self, forward: Floats, grid: Floats) -> Floats:
        here = grid - forward[: len(grid), : grid.shape[1]]
        for _ in range(STEPS):
            before = here
            here = grid - _sample(forward, here - self._corner)
            if cv2.norm(here, before, cv2.NORM_INF) < STEP_PX:
                break
        return here


def _sample(image: Floats | Image, at: Floats, interpolation: int = cv2.INTER_LINEAR) -> Floats:
    """`image` read at positions `at` (h, w, 2); what lies outside repeats its border."""
    found = cv2.remap(image, at, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(found)
