"""The arithmetic of the apex finder of Quang et al. 2019 (CapsuleNet for micro-expression recognition, FG).

How far a frame is from another one, such as the event's first, seen against how fast the picture changes there, in ten
regions of the face. Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003) use it with the event's last frame
as well, which training does (`train.methods.apexnet.apex_formula`); live nothing but the first is known.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.errors import DataError
from realtime.faces import landmarks as lm
from realtime.records import Floats, Image
from realtime.representation.movement import motion
from realtime.representation.movement.motion import Flow, head_fit, layout

Rectangle = tuple[float, float, float, float]  #: left, top, right, bottom in px
Region = tuple[slice, slice]  #: rows and columns of a picture


class Registration:
    """Frames brought to where the head stood in the first, uint8 (S, S, 3) crops -> grey float32 (S, S).

    What the head did is the affine part of the flow (`motion.head_fit`); the face's own movement stays.
    """

    def __init__(self, first: Image) -> None:
        self._first = motion.grey(first)
        side = self._first.shape[0]
        self._place, self._flow = layout(side), Flow()
        self._here = np.stack(np.meshgrid(np.arange(side), np.arange(side)), 2).astype(np.float32)
        self.first: Floats = self._first.astype(np.float32)

    def of(self, image: Image) -> Floats:
        """A later frame."""
        grey = motion.grey(image)
        fit = head_fit(self._flow(self._first, grey).reshape(-1, 2), self._place)
        there = self._here + (self._place.plane @ fit).reshape(self._here.shape)
        moved = cv2.remap(grey.astype(np.float32), there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        return np.asarray(moved, np.float32)


def change(frames: Floats, other: Floats) -> Floats:
    """Of each pixel, |frame - other| + 1: numerator or denominator of the formula."""
    found: Floats = np.abs(frames - other) + 1.0
    return found


def region_means(ratios: Floats, regions: list[Region]) -> Floats:
    """Ratios (..., H, W) -> their mean in each region, float32 (..., R)."""
    means = [ratios[..., rows, columns].mean((-2, -1)) for rows, columns in regions]
    return np.asarray(np.stack(means, -1), np.float32)


def regions(landmarks: Floats, width: int, height: int) -> list[Region]:
    """The `rectangles` in a picture of this size, in their order; DataError if one lies outside of it."""
    return [_inside(name, box, width, height) for name, box in rectangles(landmarks).items()]


def rectangles(landmarks: Floats) -> dict[str, Rectangle]:
    """The ten regions where micro-expressions move a face (figure 3), by (468, 2+) landmarks.

    Their side w is half the mouth's width. The corners of the authors' 68 points are MediaPipe's nearest ones.
    """
    points = landmarks[:, :2].astype(float)
    left, right, chin = points[lm.LEFT_MOUTH], points[lm.RIGHT_MOUTH], points[lm.CHIN]
    w = (right[0] - left[0]) / 2
    lip = left[1] - w / 2  # top of the mouth corner's box: the bottom of the nose wings'
    brows = (points[lm.LEFT_BROW[2]] + points[lm.RIGHT_BROW[2]]) / 2
    left_eye, right_eye = points[lm.LEFT_EYE_OUTER], points[lm.RIGHT_EYE_OUTER]
    left_wing, right_wing = points[lm.LEFT_NOSE_WING, 0], points[lm.RIGHT_NOSE_WING, 0]
    return {
        "left mouth corner": _around(left[0], left[1], w),
        "right mouth corner": _around(right[0], right[1], w),
        "chin": (chin[0] - w / 2, chin[1] - w, chin[0] + w / 2, chin[1]),
        "left nose wing": (left_wing - w, lip - w, left_wing, lip),
        "right nose wing": (right_wing, lip - w, right_wing + w, lip),
        "left eye": (left_eye[0] - w, left_eye[1] - w / 2, left_eye[0], left_eye[1] + w / 2),
        "right eye": (right_eye[0], right_eye[1] - w / 2, right_eye[0] + w, right_eye[1] + w / 2),
        "glabella": _around(brows[0], brows[1], w),
        "left brow": _around(brows[0] - w, brows[1], w),
        "right brow": _around(brows[0] + w, brows[1], w),
    }


def _around(x: float, y: float, side: float) -> Rectangle:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def _inside(name: str, box: Rectangle, width: int, height: int) -> Region:
    """Rows and columns of the part of `box` that lies in the picture; DataError if there is none."""
    left, top, right, bottom = (round(edge) for edge in box)
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise DataError(
            f"the region {name!r} ({left}, {top}) to ({right}, {bottom}) shows nothing in a picture of "
            f"{width} x {height} px; give the landmarks in the picture's own px, and a crop with the whole face"
        )
    return rows, columns
