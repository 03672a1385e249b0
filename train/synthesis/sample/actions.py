"""FACS action units as displacements of the 468 face-mesh landmarks.

Each unit is a set of pulls: a landmark, a direction and a reach; a landmark moves by the sum of the
pulls, weakened with its distance by a Gaussian. Directions follow the muscle descriptions of
Ekman, Friesen & Hager 2002 (FACS manual); amplitudes are those of intensity E, in distances of the
outer eye corners (about 95 mm). Drawn by hand from landmarks: no wrinkles, no teeth, no tongue.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from realtime.faces import landmarks as lm
from realtime.faces.quality import eye_distance
from realtime.records import Floats

#: landmark of the picture's left side, its mirror image, outward shift, downward shift, reach
Pull = tuple[int, int, float, float, float]

INNER_BROW, MIDDLE_BROW, OUTER_BROW = (107, 336), (105, 334), (70, 300)
MOUTH_CORNER, UPPER_LIP_SIDE, LOWER_LIP_SIDE = (61, 291), (39, 269), (181, 405)
CHEEK, LOWER_LID, NOSE_WING, CHIN_SIDE = (50, 280), (145, 374), (48, 278), (176, 400)
MIDDLE = {"upper lip": (0, 0), "lower lip": (17, 17), "inner lower lip": (14, 14), "chin": (152, 152)}

ACTION_UNITS: dict[int, tuple[Pull, ...]] = {
    1: ((*INNER_BROW, 0.0, -0.085, 0.11),),
    2: ((*OUTER_BROW, 0.01, -0.075, 0.11), (*MIDDLE_BROW, 0.0, -0.05, 0.09)),
    4: ((*INNER_BROW, -0.045, 0.065, 0.12), (*MIDDLE_BROW, -0.01, 0.035, 0.10)),
    6: ((*CHEEK, 0.0, -0.05, 0.16), (*LOWER_LID, 0.0, -0.015, 0.07)),
    7: ((*LOWER_LID, 0.0, -0.025, 0.07),),
    9: ((*NOSE_WING, 0.0, -0.055, 0.11), (*INNER_BROW, -0.015, 0.03, 0.10)),
    10: ((*UPPER_LIP_SIDE, 0.0, -0.055, 0.11), (*NOSE_WING, 0.005, -0.02, 0.10)),
    12: ((*MOUTH_CORNER, 0.09, -0.085, 0.14), (*CHEEK, 0.01, -0.03, 0.16)),
    14: ((*MOUTH_CORNER, 0.045, -0.005, 0.09),),
    15: ((*MOUTH_CORNER, 0.01, 0.075, 0.13),),
    17: ((*MIDDLE["chin"], 0.0, -0.05, 0.16), (*MIDDLE["lower lip"], 0.0, -0.04, 0.12)),
    20: ((*MOUTH_CORNER, 0.085, 0.02, 0.14),),
    24: ((*MIDDLE["upper lip"], 0.0, 0.025, 0.09), (*MIDDLE["lower lip"], 0.0, -0.03, 0.09)),
    25: ((*MIDDLE["inner lower lip"], 0.0, 0.04, 0.10), (*MIDDLE["lower lip"], 0.0, 0.035, 0.12)),
    26: (
        (*MIDDLE["chin"], 0.0, 0.13, 0.22),
        (*MIDDLE["lower lip"], 0.0, 0.10, 0.15),
        (*LOWER_LIP_SIDE, 0.0, 0.07, 0.12),
    ),
}

#: Lids meet when each upper point reaches its lower one; AU5 raises them, AU43/45 closes them.
LIDS = tuple(zip(lm.LEFT_EYE[1:8], reversed(lm.LEFT_EYE[9:]), strict=True)) + tuple(
    zip(lm.RIGHT_EYE[1:8], reversed(lm.RIGHT_EYE[9:]), strict=True)
)
BLINK, LID_RAISE = 45, 5


def displacement(points: Floats, amounts: Mapping[int, float]) -> Floats:
    """Where action units move landmarks: (468, 3) in pixels -> shifts (468, 2) in pixels.

    `amounts` maps an action unit to its share of intensity E, 0..1. KeyError for a unit that is not drawn here.
    """
    scale = eye_distance(points[:, :2])
    axis = (points[lm.RIGHT_EYE_OUTER, :2] - points[lm.LEFT_EYE_OUTER, :2]) / scale
    upright = np.stack([axis, [-axis[1], axis[0]]])  # rows: across, down
    face = (points[:, :2] - points[lm.RIGID, :2].mean(0)) @ upright.T / scale
    shift = np.zeros_like(face)
    for unit, amount in amounts.items():
        if unit in (BLINK, LID_RAISE):
            shift += _lids(face, amount if unit == BLINK else -0.25 * amount)
        else:
            shift += amount * _pulls(face, ACTION_UNITS[unit])
    return np.asarray(shift @ upright * scale, np.float32)


def _pulls(face: Floats, pulls: tuple[Pull, ...]) -> Floats:
    total = np.zeros_like(face)
    for left, right, outward, down, reach in pulls:
        for index, side in {left: -1.0, right: 1.0}.items():
            near = np.exp(-0.5 * ((face - face[index]) ** 2).sum(1) / reach**2)
            sideways = 0.0 if left == right else side * outward
            total += near[:, None] * np.array([sideways, down], face.dtype)
    return total


def _lids(face: Floats, closed: float) -> Floats:
    total = np.zeros_like(face)
    for upper, lower in LIDS:
        total[upper] = closed * 0.85 * (face[lower] - face[upper])
    return total
