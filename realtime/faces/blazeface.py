"""What BlazeFace says of a picture -> the faces in it (Bazarevsky et al. 2019, arXiv:1907.05047).

Anchors, decoding and the weighted suppression are those of MediaPipe's face_detection graphs (0.10.21). Coordinates
are shares of the square picture that the network sees, to the right and down.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.faces.public_models import FULL_RANGE, SHORT_RANGE, Network, PublicModel
from realtime.faces.region import Region, around
from realtime.records import Floats, Image

#: Grids of anchors: cells on each side, and anchors in each cell.
GRIDS = {SHORT_RANGE: ((16, 2), (8, 6)), FULL_RANGE: ((48, 1),)}
SAME = 0.3  # boxes that share more of their union are the same face's
STEEPEST = 80.0  # of a logit: beyond it float32 overflows
BOX, LEFT_EYE, RIGHT_EYE = slice(0, 4), slice(4, 6), slice(6, 8)  # in a row of faces


class FaceDetector:
    """Looks for faces in the whole of a frame."""

    def __init__(self, model: PublicModel, network: Network, confidence: float) -> None:
        self._network, self._confidence, self._side_px = network, confidence, model.side_px
        self._anchors = anchors(GRIDS[model])

    def find(self, image: Image) -> list[Region]:
        """The squares around the faces in `image` (H, W, 3), the likeliest first."""
        height, width = image.shape[:2]
        side = max(height, width)
        whole = Region(width / 2, height / 2, side, 0.0)
        size = (self._side_px, self._side_px)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        # What of the square lies beside the frame is black.
        cv2.warpAffine(image, whole.matrix(self._side_px), size, dst=self._network.picture, flags=flags)
        numbers, logits = self._network.run()
        rows, scores = decoded(numbers[0], logits[0, :, 0], self._anchors, self._side_px, self._confidence)
        corner = np.array([(width - side) / 2, (height - side) / 2], np.float32)
        faces = merged(rows, scores) * side + np.tile(corner, rows.shape[1] // 2)
        found = [around(face[BOX].tolist(), face[LEFT_EYE].tolist(), face[RIGHT_EYE].tolist()) for face in faces]
        return [region for region in found if region.usable]


def anchors(grids: Sequence[tuple[int, int]]) -> Floats:
    """float32 (N, 2): the middles of the cells of each grid, row by row, as often as there are anchors in a cell."""
    places = []
    for cells, each in grids:
        middles = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        down, across = np.meshgrid(middles, middles, indexing="ij")
        places.append(np.repeat(np.stack([across.ravel(), down.ravel()], axis=1), each, axis=0))
    return np.concatenate(places)


def decoded(numbers: Floats, logits: Floats, places: Floats, side_px: int, confidence: float) -> tuple[Floats, Floats]:
    """Faces (K, 16) and their scores (K,) from `numbers` (N, 16) px, of anchors at `places` (N, 2).

    A row is left, top, right, bottom, then x, y of six points, of which the first two are the eyes. The network gives
    middle, width and height for the box, and everything from the anchor.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits, -STEEPEST, STEEPEST)))
    some = np.flatnonzero(scores >= confidence)
    rows = numbers[some] / np.float32(side_px)
    half = rows[:, 2:4] / 2
    rows[:, 2:4] = 0.0
    rows += np.tile(places[some], rows.shape[1] // 2)
    middle = rows[:, :2].copy()
    rows[:, :2], rows[:, 2:4] = middle - half, middle + half
    whole = (half >= 0.0).all(axis=1)  # now and then a size is below nothing
    return rows[whole], scores[some][whole]


def merged(rows: Floats, scores: Floats) -> Floats:
    """One row for each face, the likeliest first: the mean, weighted by score, of those that overlap its likeliest."""
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    faces = []
    while len(rows):
        same = shared(rows[:, BOX], rows[0, BOX]) > SAME
        same[0] = True  # a box of no size shares nothing with itself
        weights = scores[same, None]
        faces.append((rows[same] * weights).sum(axis=0) / weights.sum())
        rows, scores = rows[~same], scores[~same]
    return np.array(faces, np.float32).reshape(-1, 16)


def shared(boxes: Floats, box: Floats) -> Floats:
    """Share of their union that each of `boxes` (K, 4) has in common with `box` (4,)."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    common = np.prod(np.maximum(sides, 0.0), axis=1)
    union = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2]) - common
    return np.asarray(common / np.maximum(union, 1e-12), np.float32)
