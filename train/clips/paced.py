"""The frames of a clip that the live encoder sees: it has a rate of its own, which a fast camera exceeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from realtime.pace import Pace
from realtime.recognition.encode import EARLY
from realtime.records import Times
from train.clips.clip import ClipCrops, event
from train.clips.stored import StoredClip
from train.clips.takes import FEWEST_SHOWN


def paced(clip: StoredClip, around_s: float, rate_hz: float) -> ClipCrops:
    """As `clip.cut(around_s)`, of at most `rate_hz` frames a second; 0 keeps all.

    The grid begins with the clip and not with its event, for a live encoder knows nothing of onsets. An event of
    which it would leave fewer than two frames stays whole.
    """
    whole, times = clip.cut(around_s), clip.times()
    seen = np.isin(whole.times, times[due(times, rate_hz)])
    if np.count_nonzero(seen[event(whole.times, whole.sample)]) < FEWEST_SHOWN:
        return whole
    kept = np.flatnonzero(seen)
    return ClipCrops(whole.sample, whole.times[kept], [whole.crops[i] for i in kept])


def due(times: Times, rate_hz: float) -> npt.NDArray[np.bool_]:
    """Which of the frames at `times` (T,) are seen, as `realtime.recognition.encode.PacedEncoder` decides it."""
    pace = Pace(rate_hz, EARLY)
    return np.array([pace.allows(0, t) for t in times.tolist()], np.bool_)
