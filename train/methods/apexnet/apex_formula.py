"""The apex finder of Quang et al. 2019 (CapsuleNet for micro-expression recognition, FG), as Ren et al. 2024 use it.

It is not causal: it looks at the whole clip from the onset to the offset, and so it serves to label clips, never a
stream. Differences from the authors' code, which finds the landmarks anew in every frame and compares pixels that a
moving head has moved: the frames are first registered to the onset frame, and the landmarks are the onset frame's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from realtime.errors import DataError
from realtime.faces import landmarks as lm
from realtime.records import Floats, Image
from realtime.representation.movement import motion
from realtime.representation.movement.motion import Flow, head_fit, layout

Terms = Literal["onset", "offset", "both"]  #: "both" is equation 6 of Ren et al.; the authors' code has "onset" alone
ENDS: dict[Terms, tuple[int, ...]] = {"onset": (0,), "offset": (-1,), "both": (0, -1)}
Rectangle = tuple[float, float, float, float]  #: left, top, right, bottom in px


def find_apex(images: Sequence[Image], landmarks: Floats, lag: int, terms: Terms) -> int:
    """Which of `images` uint8 (S, S, 3), a clip from onset to offset, is its apex: the first with the highest score.

    Only frames that have one `lag` before them can be it. The formula leaves open what stands for that where there is
    none: with the first frame in its place the change is 0 there, the denominator 1, and noise alone makes it win. The
    score of a frame is the mean of `region_scores`; `landmarks` (468, 2+) are those of the first, in its px.
    `lag` counts frames, as the formula does: 3 in Ren et al. (equation 5), 1 in the authors' code.
    """
    first = min(lag, len(images) - 1)
    return first + int(region_scores(register(images), landmarks, lag, terms)[first:].mean(1).argmax())


def register(images: Sequence[Image]) -> Floats:
    """Grey frames float32 (T, S, S) on which the head stands as in the first of `images`, uint8 (S, S, 3) crops.

    What the head did is the affine part of the flow (`motion.head_fit`); the face's own movement stays.
    """
    if not images:
        raise DataError("a clip of 0 frames has no apex; give the frames from its onset to its offset")
    greys = [motion.grey(image) for image in images]
    side = greys[0].shape[0]
    place, flow = layout(side), Flow()
    here = np.stack(np.meshgrid(np.arange(side), np.arange(side)), 2).astype(np.float32)
    frames = [greys[0].astype(np.float32)]
    for grey in greys[1:]:
        fit = head_fit(flow(greys[0], grey).reshape(-1, 2), place)
        there = here + (place.plane @ fit).reshape(here.shape)
        moved = cv2.remap(grey.astype(np.float32), there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        frames.append(np.asarray(moved, np.float32))
    return np.stack(frames)


def region_scores(frames: Floats, landmarks: Floats, lag: int, terms: Terms) -> Floats:
    """M of every frame and region, float32 (T, 10) in the order of `rectangles`, from registered grey frames (T, H, W).

    It is how far a frame is from the clip's ends, seen against how fast the picture changes there:
    M_i = f(i, onset) + f(i, offset), f(i, j) = (|frame_i - frame_j| + 1) / (|frame_i - frame_(i - lag)| + 1)
    for each pixel, then the mean over the region. A frame that has none `lag` before it takes the first one.
    """
    before = frames[np.maximum(np.arange(len(frames)) - lag, 0)]
    far = np.stack([np.abs(frames - frames[end]) + 1.0 for end in ENDS[terms]]).sum(0)
    ratio = far / (np.abs(frames - before) + 1.0)
    height, width = frames.shape[1:]
    boxes = {name: _inside(name, box, width, height) for name, box in rectangles(landmarks).items()}
    means = [ratio[:, rows, columns].mean((1, 2)) for rows, columns in boxes.values()]
    return np.asarray(np.stack(means, 1), np.float32)


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


def _inside(name: str, box: Rectangle, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the part of `box` that lies in the picture; DataError if there is none."""
    left, top, right, bottom = (round(edge) for edge in box)
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise DataError(
            f"the region {name!r} ({left}, {top}) to ({right}, {bottom}) shows nothing in a picture of "
            f"{width} x {height} px; give the landmarks in the picture's own px, and a crop with the whole face"
        )
    return rows, columns
