"""What the face of the sample stream does and when: movements with onset, apex and offset, blinks, a swaying head."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from train.synthesis.sample.actions import BLINK
from train.synthesis.script.sway import Wave

Role = Literal["micro", "macro", "blink"]


@dataclass(frozen=True, slots=True)
class ScriptedMovement:
    """Action units that rise from onset to apex and fall to offset, along half a cosine each; seconds."""

    role: Role
    label: str
    units: dict[int, float]  #: action unit -> share of intensity E at the apex
    onset: float
    apex: float
    offset: float
    hold: float = 0.0  #: the apex lasts this long; `apex` is its beginning

    def amount(self, t: float) -> float:
        """0 before the onset and after the offset, 1 at the apex."""
        if t < self.apex:
            return _ease((t - self.onset) / (self.apex - self.onset))
        return _ease((self.offset - t) / (self.offset - self.apex - self.hold))


def _ease(x: float) -> float:
    return float(0.5 - 0.5 * np.cos(np.pi * min(max(x, 0.0), 1.0)))


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens in one clip."""

    seconds: float
    movements: tuple[ScriptedMovement, ...]
    sway: dict[str, Wave] = field(default_factory=dict)  #: yaw, pitch, roll in degrees; x, y in eye distances

    def amounts(self, t: float) -> dict[int, float]:
        """Action unit -> share of intensity E at `t`; units of several movements add up."""
        total: dict[int, float] = {}
        for movement in self.movements:
            level = movement.amount(t)
            for unit, most in movement.units.items():
                if level > 0.0:
                    total[unit] = min(total.get(unit, 0.0) + level * most, 1.0)
        return total


def blink(at: float) -> ScriptedMovement:
    """A blink of 0.22 s that begins at `at`: lids close faster than they open."""
    return ScriptedMovement("blink", "", {BLINK: 1.0}, at, at + 0.08, at + 0.22)
