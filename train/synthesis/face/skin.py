"""What a rendered head looks like: the colour of every vertex, drawn from a seed. The model has no photographs."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from realtime.records import Floats
from train.synthesis.face.facekit import HEAD, Head, Indices

#: Linear RGB of light and of dark skin, between which tones are drawn (after Gustafson et al.'s range of sRGB tones).
LIGHT, DEEP = np.array([0.82, 0.58, 0.46]), np.array([0.09, 0.045, 0.03])
HAIRS = np.array([[0.01, 0.008, 0.007], [0.05, 0.03, 0.015], [0.18, 0.10, 0.04], [0.35, 0.26, 0.14], [0.3, 0.3, 0.3]])
IRISES = np.array([[0.03, 0.015, 0.008], [0.08, 0.045, 0.02], [0.06, 0.10, 0.14], [0.06, 0.09, 0.05]])
WAVES, WAVE_CM = 160, (0.35, 4.0)  # of the skin's unevenness: so many, so long
WHITE = np.array([0.62, 0.58, 0.56])
SIDES = ("Left", "Right")
BROWS, LIDS = (range(17, 22), range(22, 27)), (range(36, 40), range(42, 46))  # of the 68 landmarks
BROW_CM, LASH_CM, HAIRLINE_CM, IRIS_CM, PUPIL_CM = 0.42, 0.16, 9.2, 0.58, 0.24


def colours(head: Head, shape: Floats, rng: np.random.Generator) -> Floats:
    """Linear RGB (V, 3), 0..1, of a head `shape` (V, 3) cm."""
    tone = rng.random() ** 1.5
    skin = np.exp((1 - tone) * np.log(LIGHT) + tone * np.log(DEEP)) * np.exp(rng.normal(0, 0.06, 3))
    found = np.tile(skin, (len(shape), 1)) * np.exp(_uneven(head.neutral, rng) * rng.uniform(0.06, 0.14))[:, None]
    hair = HAIRS[int(rng.integers(len(HAIRS)))] * np.exp(rng.normal(0, 0.2))
    found[_lips(head)] *= np.array([1.0, 0.62, 0.62]) * rng.uniform(0.7, 0.95)
    brow = (rng.uniform(0.6, 0.95) * np.exp(-((_from_lines(head, BROWS) / BROW_CM) ** 2)))[:, None]
    found = (1 - brow) * found + brow * hair
    if rng.random() < 0.85:
        grown = _hair(head)[:, None]
        found = (1 - grown) * found + grown * hair * np.exp(0.5 * _uneven(head.neutral, rng))[:, None]
    found *= 1.0 - rng.uniform(0.3, 0.8) * np.exp(-((_from_lines(head, LIDS) / LASH_CM) ** 2))[:, None]
    _parts(head, found, rng)
    return np.asarray(np.clip(found, 0.0, 1.0), np.float32)


def _uneven(points: Floats, rng: np.random.Generator) -> Floats:
    """Smooth noise (V,) of unit size: a sum of waves of many lengths."""
    total = np.zeros(len(points))
    for _ in range(WAVES):
        length = np.exp(rng.uniform(*np.log(WAVE_CM)))
        direction = rng.standard_normal(3)
        direction *= 2 * np.pi / (length * np.linalg.norm(direction))
        total += np.sin(points @ direction + rng.uniform(0, 2 * np.pi))
    return np.asarray(total / np.sqrt(WAVES / 2), np.float32)


def _lips(head: Head) -> Floats:
    """Indices of the vertices between the outer edge of the lips and the teeth."""
    ring = head.neutral[head.landmarks[48:60], :2].astype(np.float32)
    near = np.flatnonzero(np.abs(head.neutral[:HEAD, :2] - ring.mean(0)).max(1) < 4.0)
    inside = [cv2.pointPolygonTest(ring, tuple(map(float, head.neutral[i, :2])), False) >= 0 for i in near]
    return np.asarray(near[np.array(inside)])


def _from_lines(head: Head, lines: tuple[range, ...]) -> Floats:
    """(V,) cm from the nearest of some rows of landmarks; far for what is no skin."""
    away = np.full(len(head.neutral), 99.0)
    for row in lines:
        line = head.neutral[head.landmarks[row.start : row.stop]]
        dense = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(line)])
        apart = np.linalg.norm(head.neutral[:HEAD, None] - dense[None], axis=2).min(1)
        away[:HEAD] = np.minimum(away[:HEAD], apart)
    return away.astype(np.float32)


def _hair(head: Head) -> Floats:
    """(V,) 0..1: above the forehead and behind the ears."""
    x, y, z = head.neutral.T
    above = _step((-y - HAIRLINE_CM - 0.12 * np.abs(x) + 0.25 * np.maximum(z, -4.0)) / 0.25)
    behind = _step((z - 1.0) / 0.4) * (y < 4.0)
    grown = np.maximum(above, behind)
    grown[HEAD:] = 0.0
    return np.asarray(grown, np.float32)


def _parts(head: Head, found: Floats, rng: np.random.Generator) -> None:
    """What is not skin, in place."""
    iris = IRISES[int(rng.integers(len(IRISES)))]
    plain = {"M_Teeth": [0.62, 0.58, 0.48], "M_GumsTongue": [0.25, 0.06, 0.06]}
    for name, colour in plain.items():
        found[np.unique(head.quads[head.material == head.materials.index(name)])] = colour
    for side in SIDES:
        rows = ball(head, side)
        middle = head.neutral[rows].mean(0)
        away = np.hypot(*(head.neutral[rows, :2] - middle[:2]).T)
        away[head.neutral[rows, 2] > middle[2]] = 9.0  # the back of the ball
        white = _step((away - IRIS_CM) / 0.03)[:, None]
        found[rows] = white * WHITE + (1 - white) * np.where((away < PUPIL_CM)[:, None], 0.004, iris)


def ball(head: Head, side: str) -> Indices:
    """Vertices of the person's "Left" or "Right" eyeball."""
    parts = [head.materials.index(f"M_{name}{side}") for name in ("Sclera", "Iris")]
    return np.asarray(np.unique(head.quads[np.isin(head.material, parts)]), np.int32)


def _step(x: Floats) -> Floats:
    """0 far below 0, 1 far above."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float32)
