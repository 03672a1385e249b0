"""A portrait whose landmarks can be moved: the picture follows smoothly.

The shifts of the landmarks are spread over the picture by a thin-plate spline (Bookstein 1989),
solved once for a portrait; its inverse, which the warp needs, is found by fixed-point steps.
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np

from realtime.faces.quality import bounding_box
from realtime.records import Box, Floats, Image
from train.synthesis.face.fit import thin_plate

Array = TypeVar("Array", Image, Floats)

GRID = 96  # nodes of the displacement field on each side: four pixels apart on a face of 200 px
BORDER = 12  # points that do not move, on each side of the field
SMOOTHING = 5e-5
INVERSE_STEPS, INVERSE_PX = 60, 0.03  # a closing lid squeezes the eye to a line, and needs most of them


class Puppet:
    """`pose(shift) -> picture`. The picture moves within `reach` times the face's box, and is still around it."""

    def __init__(self, image: Image, points: Floats, reach: float = 1.9) -> None:
        self.image = image
        self.points = points
        box = bounding_box(points)
        side = reach * max(box.width, box.height)
        self._origin = np.array([box.x + box.width / 2 - side / 2, box.y + box.height / 2 - side / 2], np.float32)
        self._side = side
        self._weights = self._spline()
        height, width = image.shape[:2]
        across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._pixels = np.stack([across, down], axis=2)

    @property
    def box(self) -> Box:
        """The part of the picture that can move."""
        return Box(float(self._origin[0]), float(self._origin[1]), self._side, self._side)

    def pose(self, shift: Floats, camera: Floats | None = None) -> Image:
        """The portrait with its landmarks moved by `shift` (468, 2) px, and seen through `camera` (2, 3), if given."""
        there = self._pixels
        if camera is not None:
            inverse = cv2.invertAffineTransform(camera)
            there = (there @ inverse[:, :2].T + inverse[:, 2]).astype(np.float32)
        field = self._inverse((self._weights @ shift).reshape(GRID, GRID, 2).astype(np.float32))
        at = (there - self._origin) * ((GRID - 1) / self._side)
        moved = _sample(field, at, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        seen = _sample(self.image, there - moved, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.uint8)

    def _inverse(self, field: Floats) -> Floats:
        """B with b(x) = f(x - b(x)), for a field f in pixels on the grid."""
        nodes = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=2).astype(np.float32)
        back = field
        for _ in range(INVERSE_STEPS):
            before = back
            back = _sample(field, nodes - back * ((GRID - 1) / self._side), cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
            if float(np.abs(back - before).max()) < INVERSE_PX:
                break
        return np.asarray(back, np.float32)

    def _spline(self) -> Floats:
        """(GRID * GRID, 468): the field's nodes as linear functions of the landmarks' shifts."""
        inside = (self.points[:, :2] - self._origin) / self._side
        edge = np.linspace(0.0, 1.0, BORDER)
        border = np.concatenate([np.stack([edge, np.full(BORDER, k)], 1) for k in (0.0, 1.0)])
        fixed = np.unique(np.concatenate([border, border[:, ::-1]]), axis=0)
        centres = np.concatenate([inside, fixed]).astype(np.float64)
        count = len(centres)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = thin_plate(centres, centres) + SMOOTHING * np.eye(count)
        system[:count, count:] = np.column_stack([np.ones(count), centres])
        system[count:, :count] = system[:count, count:].T
        node = np.linspace(0.0, 1.0, GRID)
        nodes = np.stack(np.meshgrid(node, node), axis=2).reshape(-1, 2)
        values = np.column_stack([thin_plate(nodes, centres), np.ones(len(nodes)), nodes])
        solved = np.linalg.solve(system, np.eye(count + 3, len(inside)))
        return np.asarray(values @ solved, np.float32)


def _sample(image: Array, at: Floats, interpolation: int, border: int) -> Array:
    """`image` read at positions `at` (H, W, 2)."""
    found = cv2.remap(image, at, None, interpolation, borderMode=border)  # type: ignore[call-overload]
    return np.asarray(found, image.dtype)


def turned(points: Floats, yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Shifts (468, 2) px of landmarks (468, 3) when the head turns, seen from far away (orthographic).

    Yaw is positive towards the picture's left, pitch downwards, roll clockwise: the mirror of `records.Pose`.
    """
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    centre = points.mean(0) + np.array([0, 0, points[:, 2].max() - points[:, 2].mean()])
    turned_points = (points - centre) @ (about_z @ about_x @ about_y).T + centre
    return np.asarray((turned_points - points)[:, :2], np.float32)
