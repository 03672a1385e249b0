"""How every crop of a face differs from the one `lag_s` before, whatever the face did in between.

A micro-expression is the rise and the fall of a movement that is over before the lag is, so nothing has to be known of
rest. Displays, heads of movements and the scorers that look at movement share one flow for each face.
"""

from __future__ import annotations

from collections import deque
from dataclasses import astuple

import numpy as np

from realtime.records import Crop, Floats, Image, Motion
from realtime.representation import motion


class LaggedFlow:
    """A face's crops -> how each has moved; asked of a crop again, it has measured already.

    After a gap of more than `pause_s` it begins anew. Half of the lag after the first crop it knows something.
    """

    def __init__(self, lag_s: float, crop_px: int, pause_s: float) -> None:
        self._lag_s, self._pause_s = lag_s, pause_s
        self._layout = motion.layout(crop_px)
        self._flow = motion.Flow()
        self._past: deque[tuple[Crop, Image]] = deque()
        self._found: tuple[Motion, Floats] | None = None  #: of the newest crop

    def push(self, crop: Crop) -> tuple[Motion, Floats] | None:
        """Motion, and turns (TURNS,) in degrees; None while the oldest crop is younger than half of the lag."""
        newest = self._past[-1][0] if self._past else None
        if newest is crop:
            return self._found
        if newest is not None and crop.t - newest.t > self._pause_s:
            self.restart()
        self._found = self._measured(crop, motion.grey(crop.image))
        return self._found

    def restart(self) -> None:
        """Forget the past."""
        self._past.clear()

    def _measured(self, crop: Crop, picture: Image) -> tuple[Motion, Floats] | None:
        self._past.append((crop, picture))
        while len(self._past) > 1 and self._past[1][0].t <= crop.t - self._lag_s:
            self._past.popleft()
        before, reference = self._past[0]
        if crop.t - before.t < 0.5 * self._lag_s:
            return None
        turned = np.subtract(astuple(crop.pose), astuple(before.pose)).astype(np.float32)
        return motion.measure(crop.t, self._flow(reference, picture), self._layout), turned
