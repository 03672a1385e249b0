"""A clock of its own for what arrives at any frame rate."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats


class Ticks:
    """Values at the times of frames -> their means over ticks of `tick_s`, so that every camera looks alike.

    Between frames a value goes along a straight line: slow cameras are interpolated, and fast ones lose their noise.
    A tick ends at a multiple of `tick_s`, and is known with the first frame at or after it.
    """

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._last: tuple[float, Floats] | None = None
        self._sum: Floats | None = None  #: the integral over the tick so far; None in one whose begin was not seen

    def push(self, t: float, value: Floats) -> list[tuple[float, Floats]]:
        """The ticks that end with a frame at `t`: end and mean of each; times rise."""
        if self._last is None:
            self._last = (t, value)
            return []
        (begin, before), self._last = self._last, (t, value)
        slope = (value - before) / np.float32(t - begin)
        found, at, low = [], begin, before
        for number in range(int(np.floor(begin / self._tick_s)) + 1, int(np.floor(t / self._tick_s)) + 1):
            end = number * self._tick_s
            high = before + slope * np.float32(end - begin)
            if self._sum is not None:
                found.append((end, (self._sum + _area(low, high, end - at)) / np.float32(self._tick_s)))
            self._sum, at, low = np.zeros_like(value), end, high
        if self._sum is not None:
            self._sum = self._sum + _area(low, value, t - at)
        return found


def _area(low: Floats, high: Floats, seconds: float) -> Floats:
    return np.asarray((low + high) * np.float32(0.5 * seconds), np.float32)
