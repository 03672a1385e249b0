"""The last seconds of one face: crops, and what the encoder and the motion stage made of each."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from realtime.records import Crop, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One frame of one face after the encoder."""

    crop: Crop
    embedding: Floats  #: float32 (width,)
    probabilities: Floats  #: float32 (C,), of the encoder's labels, this frame alone


@dataclass(frozen=True, slots=True, eq=False)
class Seen(Encoded):
    """The same after the motion stage."""

    field: Floats  #: float32 (2, S, S): how the face moved in the last lag (see `fields`)


class Window:
    """A ring buffer by seconds; each stage runs once a frame, and events read its results here."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[Seen] = deque()

    def push(self, seen: Seen) -> None:
        """Append the newest frame and drop those that are too old."""
        self._kept.append(seen)
        while seen.crop.t - self._kept[0].crop.t > self._seconds:
            self._kept.popleft()

    def span(self, begin: float, end: float) -> list[Seen]:
        """Frames with begin <= t <= end, in order; the nearest one if there is none, nothing if the window is empty."""
        inside = self._inside(begin, end)
        if inside or not self._kept:
            return inside
        return [min(self._kept, key=lambda seen: abs(seen.crop.t - begin))]

    def interval(self, begin: float, end: float) -> float:
        """Mean seconds from frame to frame with begin <= t <= end; infinite where fewer than two are there."""
        times = [seen.crop.t for seen in self._inside(begin, end)]
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else math.inf

    def _inside(self, begin: float, end: float) -> list[Seen]:
        return [seen for seen in self._kept if begin <= seen.crop.t <= end]
