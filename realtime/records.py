"""What travels between the stages: frozen records. A stage makes a new record, it never fills in an old one.

Time is float seconds on the source's clock, which starts at 0 with the source. Images are RGB.
Coordinates are pixels of the source frame until `align`, pixels of the crop after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from realtime.units import Side

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]  #: (T,) seconds, mostly rising
Kind = Literal["micro", "macro"]

#: A movement that spans fewer frames cannot be told from noise.
FEWEST_FRAMES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of the source."""

    image: Image  #: uint8 (H, W, 3), RGB
    t: float  #: seconds since the source began
    index: int  #: 0, 1, 2 ... over the frames that the source made, gaps included
    gap: int  #: frames lost between the previous record and this one
    grabbed: float  #: `time.monotonic()` when it was grabbed: for latencies, never for results


@dataclass(frozen=True, slots=True)
class Box:
    """Upright rectangle around the landmarks, in frame pixels."""

    x: float  #: left
    y: float  #: top
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees; all zero when the face looks straight into the camera."""

    yaw: float  #: positive towards the picture's right
    pitch: float  #: positive upwards
    roll: float  #: positive clockwise in the picture


@dataclass(frozen=True, slots=True)
class Quality:
    """What the picture of a face is worth; `reasons` is empty when it is good enough to judge."""

    size_px: float  #: distance of the outer eye corners
    sharpness: float  #: variance of the Laplacian of the face, grey levels squared
    brightness: float  #: mean grey level of the face, 0..255
    reasons: tuple[str, ...]  #: of "small", "blurred", "dark", "bright", "turned"


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A tracked face in one frame."""

    id: int  #: the same person for as long as the track lasts; never given twice
    t: float
    box: Box
    landmarks: Floats  #: float32 (468, 3), MediaPipe's order: x, y in frame pixels, z in the same scale, nearer < 0
    pose: Pose
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face brought to the canonical position (see `align`)."""

    face: int  #: the face's id
    t: float
    image: Image  #: uint8 (S, S, 3), RGB
    landmarks: Floats  #: float32 (468, 2), crop pixels
    matrix: Floats  #: float32 (2, 3), frame pixels -> crop pixels
    pose: Pose  #: of the head, as it was found in the frame


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How a crop differs from the one a lag before, in inter-ocular distances (outer corners)."""

    t: float
    head: float  #: the rigid movement that was removed
    field: Floats  #: float32 (2, S, S): displacement right and down on a coarse grid over the crop (see `fields`)


@dataclass(frozen=True, slots=True)
class Onset:
    """A movement began; back-dated, so `t` lies before the moment of emission."""

    event: int
    face: int
    t: float


@dataclass(frozen=True, slots=True)
class Apex:
    """The movement's peak has passed."""

    event: int
    face: int
    onset: float
    t: float
    kind: Kind  #: as far as can be told yet
    strength: float  #: the odds that it is one of this kind, where that was likeliest


@dataclass(frozen=True, slots=True)
class Offset:
    """The movement is over, or was found to be no expression: then `kind` is None and `reason` says why."""

    event: int
    face: int
    onset: float
    apex: float
    t: float
    kind: Kind | None
    strength: float
    reason: str  #: "" or one of "calibrated", "held", "lost", "unsure"


Moment = Onset | Apex | Offset


@dataclass(frozen=True, slots=True)
class MovedUnit:
    """An action unit that moved in an event, where that stands clear of noise; sides are the person's own."""

    unit: str  #: its number in FACS; "6+7" is one of two that cannot be told apart
    side: Side  #: where it moved more, or moved alone; "both" where neither is sure to have moved more
    left: float  #: how strongly, 0..1: a share of the strongest that a face can (FACS's intensity E)
    right: float
    words: str  #: for people: "lip corners up, left more than right"


@dataclass(frozen=True, slots=True)
class Expression:
    """One answer about one event; a later answer with the same `id` replaces an earlier one."""

    id: int
    face: int
    kind: Kind
    stage: Literal["early", "final", "withdrawn"]
    onset_s: float
    apex_s: float
    offset_s: float | None  #: None while the event is open
    emitted_s: float  #: source time of the newest frame that was seen when this was said
    label: str
    confidence: float  #: 0..1
    probabilities: dict[str, dict[str, float]]  #: engine -> label -> probability
    quality: tuple[str, ...]  #: the face's quality reasons when this was said
    reason: str  #: why it was withdrawn, an `Offset`'s reason, "none" or "sparse", else ""
    units: tuple[MovedUnit, ...]  #: the strongest first; those that are not sure are left out
