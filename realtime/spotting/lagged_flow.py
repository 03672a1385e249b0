"""How every crop of a face differs from the one `lag_s` before, whatever the face did in between.

A micro-expression is the rise and the fall of a movement that is over before the lag is, so nothing has to be known of
rest. Displays, heads of movements and the scorers that look at movement share one flow for each face. It needs nothing
but the crops, so that another thread than theirs may push them first.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from realtime.records import Crop, Floats, Image, Motion, Pose
from realtime.representation.movement import motion
from realtime.representation.movement.fields import LAG_S

Movement = tuple[Motion, Floats]  #: and turns (TURNS,) of the head, in degrees
KEPT = 16  # newest crops of which it may be asked again: whoever measures first is a few frames ahead


def stood(crop: Crop) -> list[Crop]:
    """What came before `crop`, a face's first, if it had stood still as it is there: all that a flow looks back at."""
    return [replace(crop, t=crop.t - lags * LAG_S) for lags in (2, 1)]


class LaggedFlow:
    """A face's crops -> how each has moved; asked of one of the newest again, it has measured already.

    One thread at a time may push what is new; any may ask for what is known. After a gap of more than `pause_s` it
    begins anew. Half of the lag after the first crop it knows something.
    """

    def __init__(self, lag_s: float, crop_px: int, pause_s: float) -> None:
        self._lag_s, self._pause_s = lag_s, pause_s
        self._layout = motion.layout(crop_px)
        self._flow = motion.Flow()
        self._past: deque[tuple[Crop, Image]] = deque()
        self._known: dict[float, tuple[Image, Movement | None]] = {}  #: of the newest crops, by their times

    def push(self, crop: Crop) -> Movement | None:
        """None while the oldest crop is younger than half of the lag."""
        known = self._known.get(crop.t)
        if known is not None and known[0] is crop.image:
            return known[1]
        if self._past and crop.t - self._past[-1][0].t > self._pause_s:
            self._past.clear()
        found = self._measured(crop, motion.grey(crop.image))
        self._known[crop.t] = crop.image, found
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return found

    def restart(self) -> None:
        """Forget the past."""
        self._past.clear()
        self._known.clear()

    def _measured(self, crop: Crop, picture: Image) -> Movement | None:
        self._past.append((crop, picture))
        while len(self._past) > 1 and self._past[1][0].t <= crop.t - self._lag_s:
            self._past.popleft()
        before, reference = self._past[0]
        if crop.t - before.t < 0.5 * self._lag_s:
            return None
        return motion.measure(crop.t, self._flow(reference, picture), self._layout), _turned(before.pose, crop.pose)


def _turned(before: Pose, now: Pose) -> Floats:
    return np.array([now.yaw - before.yaw, now.pitch - before.pitch, now.roll - before.roll], np.float32)
