"""Where the landmark network looks: a turned square of the frame, from a detection or from the landmarks before.

The formulas are those of MediaPipe's face_landmark_front_cpu graph (0.10.21): DetectionsToRects, RectTransformation,
ImageToTensor, LandmarkProjection and AssociationNormRect. It smooths neither squares nor landmarks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.faces import landmarks as lm
from realtime.records import Floats

ENLARGED = 1.5  # side of the square by the longer side of the face's upright box
SAME = 0.5  # two squares that share more of their union are one face's


@dataclass(frozen=True, slots=True)
class Region:
    """A square, in frame pixels."""

    x: float  #: of its middle
    y: float
    side: float
    angle: float  #: radians, clockwise in the picture

    @property
    def usable(self) -> bool:
        """Whether there is anything to look at: no place at infinity, no side of nothing."""
        return self.side >= 1.0 and math.isfinite(self.x + self.y + self.side + self.angle)

    def matrix(self, side_px: int) -> npt.NDArray[np.float64]:
        """float64 (2, 3): pixels of a picture `side_px` wide that shows the square -> frame pixels."""
        cos, sin = (self.side / side_px * turn for turn in (math.cos(self.angle), math.sin(self.angle)))
        half = side_px / 2
        return np.array([[cos, -sin, self.x - half * (cos - sin)], [sin, cos, self.y - half * (sin + cos)]], np.float64)

    def placed(self, points: Floats, side_px: int) -> Floats:
        """Landmarks (K, 3) in pixels of that picture, in frame pixels; the depth in the same scale."""
        matrix = self.matrix(side_px).astype(np.float32)
        x, y = points[:, 0], points[:, 1]
        placed = np.empty_like(points)
        placed[:, 0] = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
        placed[:, 1] = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
        placed[:, 2] = points[:, 2] * np.float32(self.side / side_px)
        return placed


def around(box: Sequence[float], left_eye: Sequence[float], right_eye: Sequence[float]) -> Region:
    """The square around `box` (left, top, right, bottom), turned so that the eyes (x, y) are level in it.

    It stands upright when it is measured: a head that leans has a larger one.
    """
    x0, y0, x1, y1 = box
    angle = math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0])
    return Region((x0 + x1) / 2, (y0 + y1) / 2, ENLARGED * max(x1 - x0, y1 - y0), angle)


def around_landmarks(points: Floats) -> Region:
    """Where the face of these landmarks (468, 3) is looked for in the next frame."""
    x, y = points[:, 0], points[:, 1]  # one by one: numpy takes three times as long for both
    box = [float(each) for each in (x.min(), y.min(), x.max(), y.max())]
    return around(box, points[lm.LEFT_EYE_OUTER].tolist(), points[lm.RIGHT_EYE_OUTER].tolist())


def overlap(a: Region, b: Region) -> float:
    """Share of their union that two squares have in common, as if both stood upright."""
    half = (a.side + b.side) / 2
    across, down = half - abs(a.x - b.x), half - abs(a.y - b.y)
    smaller = min(a.side, b.side)
    common = max(min(across, smaller), 0.0) * max(min(down, smaller), 0.0)
    return common / max(a.side**2 + b.side**2 - common, 1e-9)


def distinct(regions: Iterable[Region], known: Iterable[Region] = ()) -> list[Region]:
    """One for each face that is not `known`: of several that are the same face's, the first."""
    others, kept = list(known), list[Region]()
    for region in regions:
        if all(overlap(region, other) <= SAME for other in (*others, *kept)):
            kept.append(region)
    return kept
