"""Ticks of a film as a slower camera would have made them: of few frames, with straight lines between them.

Films are dear, and most are of 60 frames a second; in poor light a webcam makes 12. What is left out is that a slow
camera's reference may be a frame older than the lag.
"""

from __future__ import annotations

import numpy as np

from realtime.fields import Times
from realtime.records import Floats


def slower(ends: Times, rows: Floats, rate_hz: float, phase: float) -> Floats:
    """Rows (T, ...) at `ends` (T,), rising, through a camera of `rate_hz`: float32 (T, ...).

    `phase` in [0, 1): which share of the time between two frames passes before the first; until then it is as it was.
    """
    frames = np.arange(ends[0] + phase / rate_hz, ends[-1] + 1.0 / rate_hz, 1.0 / rate_hz)
    seen = np.clip(np.searchsorted(ends, frames - 1e-9), 0, len(ends) - 1)  # the row that each frame shows
    place = np.clip((ends - frames[0]) * rate_hz, 0.0, len(frames) - 1.0)
    before = np.minimum(place.astype(np.intp), max(len(frames) - 2, 0))
    after = np.minimum(before + 1, len(frames) - 1)
    share = (place - before).astype(np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    return np.asarray((1 - share) * rows[seen[before]] + share * rows[seen[after]], np.float32)
