"""Rendered people: random identities of the 3-D head, skin, light and camera, drawn in plain numpy.

The second kind of synthetic face. Its geometry is exact at any pose and any opening of the mouth, and its shading
moves with the skin; but it has no pores, no wrinkles, no cast shadows and hair that is only a colour. Lighting is
Lambert's with a sky, a key and a fill light, and Blinn's highlights.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from realtime.records import Floats, Image
from train.synthesis.face.channels import GAZE_CM, INDEX, channels
from train.synthesis.face.facekit import Head
from train.synthesis.face.fields import PIVOT_CM
from train.synthesis.face.performance import Extent, HeadMotion
from train.synthesis.face.raster import Raster, rasterise
from train.synthesis.face.skin import SIDES, ball, colours
from train.synthesis.face.warp import rotations

FINER = 2  # pictures are drawn so many times larger and shrunk, up to FINER_TO
FINER_TO = 320
EYE_CM = 8.92  # distance of the outer eye corners
BALL_CM = 1.2  # radius of an eyeball
SEEN = ("M_BackHead", "M_Face", "M_GumsTongue", "M_IrisLeft", "M_IrisRight", "M_ScleraLeft", "M_ScleraRight", "M_Teeth")
UNLIKE = 0.8  # of the identities' own spread: wider, and some are no faces
GAMMA = 2.2
CROP_EYES, CROP_TOP = 0.524, 0.393  # of a crop as `align` cuts it: distance of the eyes, and where they lie


class Rendered:
    """Implements `actor.Actor` with a head that nobody has."""

    def __init__(self, head: Head, framing: str, size_px: int, rng: np.random.Generator) -> None:
        self._size, self._finer = size_px, FINER if size_px * FINER <= FINER_TO else 1
        self._rest = head.shaped((UNLIKE * rng.standard_normal(len(head.identities))).astype(np.float32))
        self._moved = channels(head).moved
        quads = head.quads[np.isin(head.material, [head.materials.index(name) for name in SEEN])].astype(np.int64)
        self._triangles = np.concatenate([quads[:, [0, 1, 2]], quads[quads[:, 2] != quads[:, 3]][:, [0, 2, 3]]])
        self._colours = colours(head, self._rest, rng)
        self._balls = [ball(head, side) for side in SIDES]
        self._eyes = self._rest[head.landmarks[36:48]].mean(0)
        self._shown = EYE_CM / (CROP_EYES if framing == "crop" else rng.uniform(0.24, 0.34))  # cm a side
        self._top = CROP_TOP if framing == "crop" else rng.uniform(0.40, 0.47)
        near, spread = (4.0, 0.3) if framing == "crop" else (1.6, 1.0)
        self._away = self._shown * rng.uniform(near, 6.0)  # from the camera: near ones see in perspective
        self._stand = rotations(spread * rng.normal(0, [6.0, 4.0, 2.0], (1, 3)).astype(np.float32))[0]
        self._lights, self._sky = _lights(rng)
        self._gloss = rng.uniform(0.0, 0.12)
        self._behind = _background(size_px * self._finer, rng)

    @property
    def extent(self) -> Extent:
        scale = self._size / self._shown
        lengths = np.linalg.norm(self._moved[:, :, :2], axis=2).max(1) * scale
        return Extent(self._size, EYE_CM * scale, scale, lengths.astype(np.float32))

    def frames(self, amounts: Floats, pose: HeadMotion) -> Iterator[Image]:
        """uint8 (S, S, 3) for each row of `amounts` (T, K), in order."""
        turns = rotations(pose.turn)
        for row, turn, shift, nearer in zip(amounts, turns, pose.shift, pose.nearer, strict=True):
            solid = self._placed(row, turn, shift, float(nearer))
            points = self._projected(solid)
            yield self._drawn(solid, points, rasterise(points, self._triangles, len(self._behind)))

    def between(self, amounts: Floats, pose: HeadMotion) -> Floats:
        """(S, S, 2) px: where what each pixel shows at the first of two moments has gone by the second."""
        turns = rotations(pose.turn)
        parts = zip(amounts, turns, pose.shift, pose.nearer, strict=True)
        first, second = (self._projected(self._placed(a, r, s, float(n))) for a, r, s, n in parts)
        found = rasterise(first, self._triangles, len(self._behind))
        away = (second - first)[:, :2][self._triangles[found.triangles]]
        field = np.zeros((len(self._behind) ** 2, 2), np.float32)
        field[found.pixels] = (found.shares[..., None] * away).sum(1) / self._finer
        field = field.reshape(len(self._behind), -1, 2)
        return np.asarray(cv2.resize(field, (self._size, self._size), interpolation=cv2.INTER_AREA), np.float32)

    def _placed(self, amounts: Floats, turn: Floats, shift: Floats, nearer: float) -> Floats:
        """Vertices (V, 3) cm before the camera, which stands at depth -away and looks at the pivot."""
        shape = self._rest.copy()
        for channel in np.flatnonzero(amounts):
            shape += amounts[channel] * self._moved[channel]
        self._look(shape, amounts)
        solid = (shape - PIVOT_CM) @ (turn @ self._stand).T
        solid[:, :2] += shift * np.float32(EYE_CM)
        solid[:, 2] -= nearer * self._away
        return np.asarray(solid, np.float32)

    def _look(self, shape: Floats, amounts: Floats) -> None:
        """Turn the eyeballs, in place."""
        across, down = sum(amounts[INDEX[name]] * np.array(cm) for name, cm in GAZE_CM.items()) / BALL_CM
        if not across and not down:
            return
        angles = np.degrees(np.arcsin(np.clip([across, -down], -0.9, 0.9)))
        turn = rotations(np.array([[angles[0], angles[1], 0.0]], np.float32))[0]
        for rows in self._balls:
            middle = self._rest[rows].mean(0)
            shape[rows] = (shape[rows] - middle) @ turn.T + middle

    def _projected(self, solid: Floats) -> Floats:
        """(V, 3) px of the large picture, with depth."""
        side = len(self._behind)
        eyes = (self._eyes - PIVOT_CM) @ self._stand.T
        grown = self._away / (self._away + solid[:, 2])
        points = np.empty_like(solid)
        scale = side / self._shown
        points[:, 0] = (solid[:, 0] - eyes[0]) * grown * scale + 0.5 * side
        points[:, 1] = (solid[:, 1] - eyes[1]) * grown * scale + self._top * side
        points[:, 2] = solid[:, 2] * scale
        return points

    def _drawn(self, solid: Floats, points: Floats, found: Raster) -> Image:
        normals = _normals(solid, self._triangles)
        light = self._sky * (0.6 - 0.4 * normals[:, 1:2])
        shine = np.zeros((len(solid), 1), np.float32)
        for direction, colour in self._lights:
            light = light + np.maximum(normals @ direction, 0.0)[:, None] * colour
            half = direction + np.array([0.0, 0.0, -1.0], np.float32)
            half /= np.linalg.norm(half)
            shine += (np.maximum(normals @ half, 0.0) ** 24)[:, None] * colour.mean()
        lit = self._colours * light + np.float32(self._gloss) * shine
        corners = self._triangles[found.triangles]
        picture = self._behind.copy().reshape(-1, 3)
        picture[found.pixels] = (found.shares[..., None] * lit[corners]).sum(1)
        picture = picture.reshape(self._behind.shape)
        if self._finer > 1:
            shrunk = cv2.resize(picture, (self._size, self._size), interpolation=cv2.INTER_AREA)
            picture = np.asarray(shrunk, np.float32)
        return (255.0 * np.clip(picture, 0.0, 1.0) ** np.float32(1 / GAMMA) + 0.5).astype(np.uint8)


def _normals(points: Floats, triangles: Floats) -> Floats:
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    facing = np.cross(b - a, c - a)
    total = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(facing[:, axis], 3), len(points)) for axis in range(3)], 1
    )
    return np.asarray(total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9), np.float32)


def _lights(rng: np.random.Generator) -> tuple[list[tuple[Floats, Floats]], Floats]:
    """Directions towards a key and a fill light with their colours; and the sky's."""
    key = rng.uniform(0.5, 1.2)
    warm = 1.0 + rng.uniform(-0.12, 0.12) * np.array([1.0, 0.0, -1.0])
    lights = []
    for strength in (key, key * rng.uniform(0.0, 0.5)):
        direction = np.array([rng.uniform(-1.2, 1.2), rng.uniform(-1.0, 0.2), -1.0])
        lights.append(
            ((direction / np.linalg.norm(direction)).astype(np.float32), (strength * warm).astype(np.float32))
        )
    return lights, np.asarray(rng.uniform(0.15, 0.55) * (2.0 - warm), np.float32)


def _background(side: int, rng: np.random.Generator) -> Floats:
    """Blurred patches of colour, linear RGB (side, side, 3)."""
    coarse = rng.uniform(0.03, 0.5) * np.exp(rng.normal(0, [0.2, 0.1, 0.2]) + rng.normal(0, 0.4, (6, 6, 1)))
    return np.asarray(cv2.resize(coarse.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
