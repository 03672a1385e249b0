"""A video as a slower camera would have filmed it, frame by frame: long ones do not fit into memory.

What `train.clips.rates` does to a clip: the shutter of the slower camera never closes, so each picture is the mean of
the frames that its exposure covers, and is stamped with its middle. The first exposure begins with the video.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.records import Frame

SMALLEST = 1e-6  # share of an exposure that rounding makes or loses


class SlowedSource(Around):
    """`source` at `rate_hz`, which must be below its own rate."""

    def __init__(self, source: Source, rate_hz: float) -> None:
        super().__init__(source)
        self.rate_hz = rate_hz

    def frames(self) -> Iterator[Frame]:
        exposure: _Exposure | None = None
        index = 0
        for begin, end, frame in _spans(self._source.frames()):
            exposure = exposure or _Exposure(begin, begin + 1.0 / self.rate_hz)
            # One that ends with the frame, but for rounding, is whole.
            while end >= exposure.closes - SMALLEST / self.rate_hz:
                exposure.add(frame, begin, end)
                yield exposure.frame(index)
                index += 1
                exposure = _Exposure(exposure.closes, exposure.closes + 1.0 / self.rate_hz)
            exposure.add(frame, begin, end)


@dataclass(slots=True)
class _Exposure:
    opens: float
    closes: float
    light: npt.NDArray[np.float64] | None = None  #: sum of the pictures, each times the seconds that it was seen
    seen_s: float = 0.0

    def add(self, frame: Frame, begin: float, end: float) -> None:
        """As much of a frame that stands from `begin` to `end` as lies inside."""
        covered = min(end, self.closes) - max(begin, self.opens)
        if covered <= 0.0:
            return
        part = frame.image * covered
        self.light = part if self.light is None else self.light + part
        self.seen_s += covered

    def frame(self, index: int) -> Frame:
        assert self.light is not None
        image = np.rint(self.light / self.seen_s).astype(np.uint8)
        return Frame(image, (self.opens + self.closes) / 2, index, gap=0, grabbed=time.monotonic())


def _spans(frames: Iterator[Frame]) -> Iterator[tuple[float, float, Frame]]:
    """Each frame with the time that it stands for: halfway to its neighbours. A single frame has none."""
    before: Frame | None = None
    begin: float | None = None
    for frame in frames:
        if before is not None:
            middle = (before.t + frame.t) / 2
            begin = 2 * before.t - middle if begin is None else begin
            yield begin, middle, before
            begin = middle
        before = frame
    if before is not None and begin is not None:
        yield begin, 2 * before.t - begin, before
