"""An expression at a share of its strength: each picture is pulled back towards how the face was at the onset.

A picture is held against that of the onset by dense flow in a common crop. What is affine over the face is the head's
and stays as it is; of the rest, which the face did, only a share is left. Camera noise, codec, light and the head stay
real. What the onset does not show (teeth, a tongue) cannot be pulled back: it is only drawn smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.faces.align import similarity
from realtime.faces.track import Tracker
from realtime.records import Floats, Frame, Image
from realtime.representation.movement import motion
from train.datasets.marked.marks import Mark

CROP_PX, MARGIN_PX = 256, 64  #: the canonical crop, and how much more is seen around it: it ends above the chin
SIDE_PX = CROP_PX + 2 * MARGIN_PX
FADE_PX = 14  #: the pull fades away so far inside of the face's outline, behind which is no face
SMOOTH_PX = 4.0  #: deviation of the Gaussian that evens the flow out: where it tears, so would the picture
ROUNDS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face in one picture: uint8 (SIDE_PX, SIDE_PX) grey, how it was cut out (2, 3), and where it is, 0 to 1."""

    crop: Image
    matrix: Floats
    face: Floats


def sighted(image: Image, landmarks: Floats) -> Sighting:
    """The face of `landmarks` (468, 2+) in `image` (H, W, 3)."""
    matrix = similarity(landmarks, CROP_PX) + np.array([[0, 0, MARGIN_PX], [0, 0, MARGIN_PX]], np.float32)
    cut = cv2.warpAffine(image, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    points = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return Sighting(motion.grey(np.asarray(cut, np.uint8)), matrix, _inside(points))


class Weakener:
    """Pictures -> the same with a `share` of the expression; it keeps buffers, so one belongs to one thread."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._flow = motion.Flow()
        self._layout = motion.layout(CROP_PX)
        axis = np.linspace(-SIDE_PX / CROP_PX, SIDE_PX / CROP_PX, SIDE_PX, dtype=np.float32)
        across, down = np.meshgrid(axis, axis)
        self._plane = np.stack([np.ones_like(across), across, down], axis=2)
        self._grid = _pixels(SIDE_PX, SIDE_PX)

    def weaken(self, image: Image, now: Sighting, onset: Sighting) -> Image:
        """`image` (H, W, 3), of which `now` was cut, nearer to `onset`."""
        pulled = self._pulled(self._expression(now, onset))
        inverse = np.linalg.inv(now.matrix[:, :2].astype(np.float64))
        corners = (np.array([[0, 0], [SIDE_PX, 0], [0, SIDE_PX], [SIDE_PX, SIDE_PX]]) - now.matrix[:, 2]) @ inverse.T
        height, width = image.shape[:2]
        (left, top), (right, bottom) = corners.min(0).astype(int), np.ceil(corners.max(0)).astype(int)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        shift = now.matrix[:, :2] @ np.array([left, top], np.float32)
        place = np.column_stack([now.matrix[:, :2], now.matrix[:, 2] + shift])
        spread = cv2.warpAffine(
            (pulled @ inverse.T).astype(np.float32), place, (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )  # fmt: skip
        at = _pixels(right - left, bottom - top) + spread + np.array([left, top], np.float32)
        found = image.copy()
        found[top:bottom, left:right] = cv2.remap(
            image, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return found

    def _expression(self, now: Sighting, onset: Sighting) -> Floats:
        """(S, S, 2) px: how far each point of the face now lies from where it was at the onset, but for the head."""
        back = self._flow(now.crop, onset.crop)
        inner = slice(MARGIN_PX, MARGIN_PX + CROP_PX)
        fit = motion.head_fit(np.ascontiguousarray(back[inner, inner]).reshape(-1, 2), self._layout)
        even = cv2.GaussianBlur(back - self._plane @ fit, (0, 0), SMOOTH_PX)
        return np.asarray(even * now.face[..., None], np.float32)

    def _pulled(self, back: Floats) -> Floats:
        """(S, S, 2) px, from each point of the new crop to what is seen there: what is at z goes to z + part * back(z).

        Found by going round: what is seen at y lies where the pull of that very place leads to y.
        """
        part = np.float32(1.0 - self._share)
        pulled = np.zeros_like(back)
        for _ in range(ROUNDS):
            at = self._grid + pulled
            pulled = -part * cv2.remap(back, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(pulled, np.float32)


def _inside(points: Floats) -> Floats:
    """(S, S): 1 within the outline of a face's points (N, 2), 0 outside."""
    filled = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(points.astype(np.float32)).round().astype(np.int32), [1])
    away = cv2.distanceTransform(filled, cv2.DIST_L2, 3)
    return np.asarray(np.clip(away / FADE_PX, 0.0, 1.0), np.float32)


def _pixels(width: int, height: int) -> Floats:
    """(height, width, 2): column and row of each pixel."""
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([columns, rows], axis=2)


class WeakenedSource(Around):
    """A clip whose `marks` have a `share` of their strength, on the clip's own clock."""

    def __init__(self, source: Source, marks: Sequence[Mark], share: float, tracker: Tracker) -> None:
        super().__init__(source)
        self._marks, self._tracker, self._weakener = marks, tracker, Weakener(share)

    def frames(self) -> Iterator[Frame]:
        onsets: dict[Mark, Sighting] = {}
        for frame in self._source.frames():
            mark = next((each for each in self._marks if each.onset_s <= frame.t <= each.offset_s), None)
            now = self._sighted(frame) if mark else None
            if mark is None or now is None:  # nobody is there whose face could be pulled
                yield frame
            elif mark not in onsets:
                onsets = {mark: now}
                yield frame
            else:
                yield replace(frame, image=self._weakener.weaken(frame.image, now, onsets[mark]))

    def _sighted(self, frame: Frame) -> Sighting | None:
        faces = self._tracker.push(frame)
        nearest = max(faces, key=lambda face: face.quality.size_px, default=None)
        return sighted(frame.image, nearest.landmarks) if nearest else None
