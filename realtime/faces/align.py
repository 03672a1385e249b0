"""Frame and Face -> Crop: the face turned, scaled and moved to one canonical position.

Only rigid points decide the transform, and only the transform is smoothed in time:
landmark jitter is as large as a micro-expression, and a smoothed picture would hide one.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from realtime.config import AlignConfig
from realtime.faces import landmarks as lm
from realtime.records import Crop, Face, Floats, Frame, Times

#: Where the rigid points lie in a crop of size 1: the outer and inner eye corners at the median
#: position they have in FER+ pictures (measured over 1,000 of them), the nose bridge below.
TEMPLATE = np.array(
    [
        [0.238, 0.390],
        [0.398, 0.400],
        [0.602, 0.400],
        [0.762, 0.390],
        [0.5, 0.375],
        [0.5, 0.425],
        [0.5, 0.480],
        [0.5, 0.535],
    ],
    np.float32,
)


def similarity(points: Floats, size_px: int) -> Floats:
    """The least-squares rotation, scale and shift (2, 3) that brings `points` (468, 2+) onto the template."""
    source = points.take(lm.RIGID_ROWS, axis=0)[:, :2].astype(np.float64)
    source_mean, (target_mean, b) = source.mean(0), _target(size_px)
    a = source - source_mean
    power = max(float((a**2).sum()), 1e-9)
    cos = float((a * b).sum()) / power  # scale * cos(angle)
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / power
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, target_mean - turn @ source_mean]).astype(np.float32)


@cache
def _target(size_px: int) -> tuple[Times, Times]:
    """Where the rigid points lie in a crop, float64: their mean (2,), and each seen from there (K, 2)."""
    target = TEMPLATE.astype(np.float64) * size_px
    return target.mean(0), target - target.mean(0)


def crop(frame: Frame, face: Face, matrix: Floats, size_px: int) -> Crop:
    """Cut `face` out of `frame` by `matrix` (2, 3); what lies outside the picture repeats its border."""
    warped = cv2.warpAffine(
        frame.image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    image = np.asarray(warped, np.uint8)
    points = face.landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return Crop(face.id, frame.t, image, points.astype(np.float32), matrix, face.pose)


class Aligner:
    """The canonical crop of one face, its transform smoothed; `push((Frame, Face)) -> [Crop]`.

    The smoothing follows Casiez et al. 2012 (One Euro filter): a low-pass whose cut-off rises with
    speed, so that a still head is steady and a moving head is followed.
    """

    delay_s = 0.0

    def __init__(self, config: AlignConfig) -> None:
        self._config = config
        self._t = 0.0
        self._value: Floats | None = None
        self._speed: Floats | None = None

    def push(self, item: tuple[Frame, Face]) -> list[Crop]:
        """One crop for each frame with the face."""
        frame, face = item
        wanted = similarity(face.landmarks, self._config.size_px)
        return [crop(frame, face, self._smooth(wanted, face, frame.t), self._config.size_px)]

    def flush(self) -> list[Crop]:
        """Nothing is held back."""
        return []

    def _smooth(self, wanted: Floats, face: Face, t: float) -> Floats:
        if self._value is None or self._speed is None or t - self._t > self._config.forget_s:
            self._value, self._speed, self._t = wanted, np.zeros_like(wanted), t
            return wanted
        step, self._t = max(t - self._t, 1e-6), t
        # Smoothed at the face, not at the frame's far corner (0, 0), where a tiny turn moves much.
        centre = face.landmarks.take(lm.RIGID_ROWS, axis=0)[:, :2].mean(0)
        before, now = _recentre(self._value, centre), _recentre(wanted, centre)
        speed = (now - before) / step
        self._speed = self._speed + _gain(1.0, step) * (speed - self._speed)
        shift = float(np.abs(self._speed[:, 2]).max()) / self._config.size_px
        gain = _gain(self._config.cutoff_hz + self._config.speed_gain * shift, step)
        self._value = _recentre(before + gain * (now - before), -centre)
        return self._value


def _gain(cutoff_hz: float, step_s: float) -> float:
    """How far a first-order low-pass moves towards its input in one step."""
    return 1.0 - float(np.exp(-2.0 * np.pi * cutoff_hz * step_s))


def _recentre(matrix: Floats, centre: Floats) -> Floats:
    """The same map written for coordinates that have their origin at `centre`."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ centre
    return moved
