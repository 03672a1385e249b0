"""How long to wait."""

from __future__ import annotations

import math
import time

LONGEST_POLL_MS = 2**31 - 1


def left_ms(deadline: float) -> int | None:
    """Milliseconds until `deadline` on the monotonic clock, as poll takes them: 24 days at most, None without end."""
    if deadline == math.inf:
        return None
    return min(max(0, math.ceil((deadline - time.monotonic()) * 1000)), LONGEST_POLL_MS)
