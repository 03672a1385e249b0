"""How fast somebody may come: a token bucket."""

from __future__ import annotations

import time
from collections.abc import Callable

#: So many may come at once after a pause: a browser's pictures do not arrive as evenly as they were taken.
BURST = 8.0


class TokenBucket:
    """At most `most_hz` a second, after a short burst."""

    def __init__(self, most_hz: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_hz, self._clock = most_hz, clock
        self._left, self._t = BURST, clock()

    def allows(self) -> bool:
        """Whether one more may come now; it then counts."""
        now = self._clock()
        self._left, self._t = min(self._left + (now - self._t) * self._most_hz, BURST), now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
