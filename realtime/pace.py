"""At most so many states a second."""

from __future__ import annotations

import math

#: Visitors come and go: the oldest are forgotten, and begin anew.
MOST_CAMERAS = 1000


class Pace:
    """At most `rate_hz` messages a second of each camera's clock; on a grid, or 25 Hz would make 20 of 60."""

    def __init__(self, rate_hz: float) -> None:
        self._period = 1.0 / rate_hz if rate_hz > 0 else 0.0
        self._due: dict[str, float] = {}

    def allows(self, camera: str, t: float) -> bool:
        """Whether the state of time `t` is to be sent."""
        if not self._period:
            return True
        due = self._due.get(camera, -math.inf)
        if 0.0 < due - t <= self._period:  # further ahead: the clock has begun anew
            return False
        following = due + self._period
        self._due[camera] = following if t < following <= t + self._period else t + self._period
        if len(self._due) > MOST_CAMERAS:
            del self._due[next(iter(self._due))]
        return True
