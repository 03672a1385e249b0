"""What the face of the sample stream does and when: movements with onset, apex and offset, blinks, a swaying head."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from train.synthesis.sample.actions import BLINK

Role = Literal["micro", "macro", "blink"]


@dataclass(frozen=True, slots=True)
class Movement:
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
class Wave:
    """A slow sway: a few sines a second that never quite repeat."""

    sizes: tuple[float, ...]
    rates_hz: tuple[float, ...]
    phases: tuple[float, ...]

    def at(self, t: float) -> float:
        """Its value at `t`."""
        return float(
            sum(
                a * np.sin(2 * np.pi * (f * t + p))
                for a, f, p in zip(self.sizes, self.rates_hz, self.phases, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens in one clip."""

    seconds: float
    movements: tuple[Movement, ...]
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


def blink(at: float) -> Movement:
    """A blink of 0.22 s that begins at `at`: lids close faster than they open."""
    return Movement("blink", "", {BLINK: 1.0}, at, at + 0.08, at + 0.22)


def wave(size: float, rng: np.random.Generator, slow_hz: float = 0.08, fast_hz: float = 0.35) -> Wave:
    """Three sines whose sizes add up to `size`."""
    rates = rng.uniform(slow_hz, fast_hz, 3)
    shares = rng.dirichlet([2.0, 2.0, 2.0]) * size
    return Wave(tuple(map(float, shares)), tuple(map(float, rates)), tuple(map(float, rng.uniform(0, 1, 3))))


def sway(rng: np.random.Generator, degrees: float, shift: float) -> dict[str, Wave]:
    """A head that is never quite still."""
    sizes = {"yaw": degrees, "pitch": 0.6 * degrees, "roll": 0.5 * degrees, "x": shift, "y": 0.6 * shift}
    return {name: wave(size, rng) for name, size in sizes.items()}
