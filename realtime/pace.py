"""At most so many a second: states that are sent, crops that are encoded."""

from __future__ import annotations

import math
from collections.abc import Hashable

#: Visitors and faces come and go: the oldest are forgotten, and begin anew.
MOST_KEYS = 1000


class Pace:
    """At most `rate_hz` a second for each key, on its own clock; on a grid, or 25 Hz would make 20 of 60.

    What comes early by up to `slack` of the time between two is allowed: a camera's frames are never quite even, and
    of one at just this rate none should be left out. 0 Hz allows all.
    """

    def __init__(self, rate_hz: float, slack: float = 0.0) -> None:
        self._period = 1.0 / rate_hz if rate_hz > 0 else 0.0
        self._early = slack * self._period
        self._due: dict[Hashable, float] = {}

    def allows(self, key: Hashable, t: float) -> bool:
        """Whether what comes at time `t` is one of them."""
        if not self._period:
            return True
        due = self._due.get(key, -math.inf)
        if self._early < due - t <= self._period + self._early:  # further ahead: the clock has begun anew
            return False
        following = due + self._period
        self._due[key] = following if t < following <= t + self._period + self._early else t + self._period
        if len(self._due) > MOST_KEYS:
            del self._due[next(iter(self._due))]
        return True
