"""What a face can do: action units and other movements, left and right apart, as shapes of the 3-D head.

Most shapes carry the names of Apple's ARKit ("ARFaceAnchor.BlendShapeLocation"). Which action unit each shows
follows M. Ozel, "ARKit to FACS cheat sheet" (melindaozel.com); cheekRaiser is ICT's own name for AU6. Where a unit
moves more than one shape does, the mixture is ours, after the unit's description in the FACS manual (Ekman,
Friesen and Hager 2002): 6 and 7 also narrow the eye, 9 draws the inner brow down, 17 pushes both lips up, 23 rolls
the lips in and narrows them, 25 parts them with hardly any jaw. FACS's sides are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from realtime.records import Floats
from train.synthesis.face.facekit import Head

Mixture = dict[str, float]

#: Action unit -> shapes and weights at intensity E; names with _L / _R left out, both sides have one.
ACTION_UNITS: dict[int, Mixture] = {
    1: {"browInnerUp": 1.0},
    2: {"browOuterUp": 1.0},
    4: {"browDown": 1.0},
    5: {"eyeWide": 1.0},
    6: {"cheekRaiser": 1.0, "eyeSquint": 0.35},
    7: {"eyeSquint": 1.0, "eyeBlink": 0.15},
    9: {"noseSneer": 1.0, "browDown": 0.3},
    10: {"mouthUpperUp": 1.0},
    12: {"mouthSmile": 1.0},
    14: {"mouthDimple": 1.0},
    15: {"mouthFrown": 1.0},
    17: {"mouthShrugLower": 0.8, "mouthShrugUpper": 0.4},
    20: {"mouthStretch": 1.0},
    23: {"mouthRollLower": 0.35, "mouthRollUpper": 0.35, "mouthPucker": 0.2},
    24: {"mouthPress": 1.0, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    25: {"mouthLowerDown": 0.8, "mouthUpperUp": 0.2, "jawOpen": 0.06},
    26: {"jawOpen": 0.5},
}
#: Movements that are no expression: lids, gaze (its lids; the eyeballs turn by GAZE_CM), and the mouth that speaks.
OTHERS: dict[str, Mixture] = {
    "blinkL": {"eyeBlink_L": 1.0},
    "blinkR": {"eyeBlink_R": 1.0},
    "gaze-left": {"eyeLookOut_L": 1.0, "eyeLookIn_R": 1.0},
    "gaze-right": {"eyeLookIn_L": 1.0, "eyeLookOut_R": 1.0},
    "gaze-up": {"eyeLookUp_L": 1.0, "eyeLookUp_R": 1.0},
    "gaze-down": {"eyeLookDown_L": 1.0, "eyeLookDown_R": 1.0},
    "jaw": {"jawOpen": 1.0},
    "jaw-aside": {"jawLeft": 1.0},
    "round": {"mouthFunnel": 1.0},
    "pucker": {"mouthPucker": 1.0},
    "lips-shut": {"mouthClose": 1.0},
}
#: Where the pupil goes at full gaze, cm: an eyeball of 1.2 cm that turns by 25 degrees.
GAZE_CM: dict[str, tuple[float, float]] = {
    "gaze-left": (0.5, 0.0),
    "gaze-right": (-0.5, 0.0),
    "gaze-up": (0.0, -0.4),
    "gaze-down": (0.0, 0.4),
}
SIDES = ("L", "R")
NAMES: tuple[str, ...] = (*(f"{unit}{side}" for unit in ACTION_UNITS for side in SIDES), *OTHERS)
INDEX: dict[str, int] = {name: place for place, name in enumerate(NAMES)}
MIDDLE_CM = 0.8  # a shape without sides is divided smoothly over so much to either side of the middle


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Displacements (K, V, 3) cm of `NAMES` in the model's axes of `facekit`."""

    moved: Floats


@lru_cache(maxsize=1)
def channels(head: Head) -> Channels:
    """Every channel of `head` at full strength."""
    units = [_one_side(head, mixture, side) for mixture in ACTION_UNITS.values() for side in SIDES]
    others = [_mix([(weight, head.shapes[name]) for name, weight in mixture.items()]) for mixture in OTHERS.values()]
    return Channels(np.stack(units + others))


def _one_side(head: Head, mixture: Mixture, side: str) -> Floats:
    sign = 1.0 if side == "L" else -1.0
    share = (0.5 + 0.5 * np.tanh(sign * head.neutral[:, :1] / MIDDLE_CM)).astype(np.float32)
    parts = []
    for name, weight in mixture.items():
        paired = head.shapes.get(f"{name}_{side}")
        parts.append((weight, head.shapes[name] * share if paired is None else paired))
    return _mix(parts)


def _mix(parts: list[tuple[float, Floats]]) -> Floats:
    return np.asarray(sum(np.float32(weight) * shape for weight, shape in parts), np.float32)
