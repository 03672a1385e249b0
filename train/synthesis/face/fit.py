"""The 3-D head fitted to the landmarks of a real face: pose, scale and who it is; then the rest in the picture.

Scaled orthographic projection, p = s R X + t. Pose and identity are found in turn: the pose by weighted least
squares and the nearest rotation, the identity by ridge regression with the model's own prior (unit variances);
points that disagree count less (Huber). What is left over, up to some percent of the eye distance, is taken by a
smooth map of the picture (thin plates, Bookstein 1989), so that lids and lips lie exactly where they are seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.faces.quality import eye_distance
from realtime.records import Floats
from train.synthesis.face.facekit import Head

Doubles = npt.NDArray[np.float64]

#: MediaPipe's point for each of the 68 (Multi-PIE order): contour, brows, nose, eyes, outer and inner lips.
# fmt: off
SHARED = (
    127, 234, 93, 132, 172, 136, 150, 176, 152, 400, 379, 365, 397, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91,
    78, 82, 13, 312, 308, 317, 14, 87,
)
# fmt: on
CONTOUR = 17  # the first so many slide along the face's outline: they mean little
CONTOUR_WEIGHT = 0.15
NOISE_CM = 0.12  # of a landmark: weighs the points against the prior
HUBER_CM = 0.25
ROUNDS = 6
SMOOTH, SMOOTH_CONTOUR = 1e-3, 1e-1


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where the head stands in a picture."""

    identity: Floats  #: (100,)
    rotation: Floats  #: (3, 3)
    scale: float  #: px a cm
    shift: Floats  #: (2,) px
    anchors: Doubles  #: (68, 2) px: the landmarks where the head alone has them
    weights: Doubles  #: (71, 2): of the thin plates around them, then of 1, x, y
    error: float  #: median distance of head and landmarks before that, in eye distances

    def place(self, points: Floats) -> Floats:
        """Head points (V, 3) cm -> (V, 3) px: x, y of the picture, depth in the same scale; without the smooth map."""
        placed = np.float32(self.scale) * (points @ self.rotation.T)
        placed[:, :2] += self.shift
        return np.asarray(placed, np.float32)

    def adjust(self, points: Doubles) -> Doubles:
        """The smooth map at (N, 2) px."""
        side = self.scale * 10.0
        values = np.column_stack([thin_plate(points / side, self.anchors / side), np.ones(len(points)), points / side])
        return np.asarray(points + values @ self.weights, np.float64)


def fit(head: Head, points: Floats) -> Fit:
    """Fit `head` to MediaPipe's landmarks (468, 2+) px; deterministic, some milliseconds."""
    target = points[list(SHARED), :2].astype(np.float64)
    rest = head.neutral[head.landmarks].astype(np.float64)
    basis = head.identities[:, head.landmarks].astype(np.float64)
    trust = np.ones(len(target))
    trust[:CONTOUR] = CONTOUR_WEIGHT
    identity, weights = np.zeros(len(basis)), trust
    for _ in range(ROUNDS):
        shape = rest + np.tensordot(identity, basis, 1)
        rotation, scale, shift = _pose(shape, target, weights)
        apart = np.hypot(*(target - (scale * shape @ rotation[:2].T + shift)).T) / scale
        weights = trust * np.minimum(1.0, HUBER_CM / np.maximum(apart, 1e-9))
        identity = _identity(basis, (target - shift) / scale - rest @ rotation[:2].T, rotation, weights)
    shape = rest + np.tensordot(identity, basis, 1)
    rotation, scale, shift = _pose(shape, target, weights)
    anchors = scale * shape @ rotation[:2].T + shift
    error = float(np.median(np.hypot(*(target - anchors).T)) / eye_distance(points[:, :2]))
    bend = _plates(anchors / (scale * 10.0), target - anchors)
    as32 = (np.asarray(part, np.float32) for part in (identity, rotation, shift))
    identity32, rotation32, shift32 = as32
    return Fit(identity32, rotation32, float(scale), shift32, anchors, bend, error)


def _pose(shape: Doubles, target: Doubles, weights: Doubles) -> tuple[Doubles, float, Doubles]:
    """The rotation (3, 3), scale and shift that bring (N, 3) onto (N, 2)."""
    total = weights.sum()
    from_mean, to_mean = (weights @ shape) / total, (weights @ target) / total
    a, b = shape - from_mean, target - to_mean
    affine = np.linalg.solve((a * weights[:, None]).T @ a + 1e-9 * np.eye(3), (a * weights[:, None]).T @ b).T
    u, sizes, vt = np.linalg.svd(affine, full_matrices=False)
    top = u @ vt
    rotation = np.vstack([top, np.cross(top[0], top[1])])
    scale = float(sizes.mean())
    return rotation, scale, to_mean - scale * from_mean @ rotation[:2].T


def _identity(basis: Doubles, residual: Doubles, rotation: Doubles, weights: Doubles) -> Doubles:
    """Ridge regression of the residual (N, 2) cm on the identities (I, N, 3)."""
    design = (basis @ rotation[:2].T).reshape(len(basis), -1).T / NOISE_CM  # (2N, I)
    strength = np.repeat(weights, 2)[:, None]
    system = (design * strength).T @ design + np.eye(len(basis))
    return np.asarray(np.linalg.solve(system, (design * strength).T @ (residual.ravel() / NOISE_CM)), np.float64)


def _plates(anchors: Doubles, residual: Doubles) -> Doubles:
    """Weights (N + 3, 2) of a smoothing thin-plate spline through `residual` at `anchors`, in heads."""
    count = len(anchors)
    smooth = np.full(count, SMOOTH)
    smooth[:CONTOUR] = SMOOTH_CONTOUR
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = thin_plate(anchors, anchors) + np.diag(smooth)
    system[:count, count:] = np.column_stack([np.ones(count), anchors])
    system[count:, :count] = system[:count, count:].T
    return np.asarray(np.linalg.solve(system, np.vstack([residual, np.zeros((3, 2))])), np.float64)


def thin_plate(a: Doubles, b: Doubles) -> Doubles:
    """r^2 log r of the distances r between points (N, 2) and (M, 2): (N, M)."""
    squared = ((a[:, None] - b[None]) ** 2).sum(2)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-12)), np.float64)
