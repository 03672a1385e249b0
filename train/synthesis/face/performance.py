"""What is asked of a face that is filmed, beside the amounts of its channels; and how far it can move."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.records import Floats


@dataclass(frozen=True, slots=True, eq=False)
class HeadMotion:
    """How the head has moved since it rested, at each of T moments."""

    turn: Floats  #: (T, 3) degrees: yaw towards the picture's right, pitch up, roll clockwise, as in `records.Pose`
    shift: Floats  #: (T, 2) eye distances, right and down
    nearer: Floats  #: (T,) relative growth of the picture

    def __len__(self) -> int:
        return len(self.nearer)


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """How far an actor moves in its pictures, at most."""

    size_px: int
    eye_px: float
    scale: float  #: px a cm
    most: Floats  #: (K,) px: by each channel at full strength
