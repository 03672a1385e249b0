"""A head that is never quite still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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


def wave(size: float, rng: np.random.Generator, slow_hz: float = 0.08, fast_hz: float = 0.35) -> Wave:
    """Three sines whose sizes add up to `size`."""
    rates = rng.uniform(slow_hz, fast_hz, 3)
    shares = rng.dirichlet([2.0, 2.0, 2.0]) * size
    return Wave(tuple(map(float, shares)), tuple(map(float, rates)), tuple(map(float, rng.uniform(0, 1, 3))))


def sway(rng: np.random.Generator, degrees: float, shift: float) -> dict[str, Wave]:
    """A head that is never quite still."""
    sizes = {"yaw": degrees, "pitch": 0.6 * degrees, "roll": 0.5 * degrees, "x": shift, "y": 0.6 * shift}
    return {name: wave(size, rng) for name, size in sizes.items()}
