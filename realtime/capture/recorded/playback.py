"""Recorded pictures as a source gives them: at once, or when they are due, as a camera would."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from realtime.config import SourceConfig
from realtime.records import Frame, Image

log = logging.getLogger(__name__)

#: Frames in a row: a file that is decoded more slowly than it plays would otherwise show none.
MOST_LEFT_OUT = 30


class Recorded(NamedTuple):
    """A picture of a recording."""

    t: float  #: seconds from its beginning
    image: Image
    missing: int = 0  #: pictures that the recording lacks before this one


class MediaClock:
    """Positions in a file, as ffmpeg reports them -> seconds that start at 0 and strictly increase.

    A position may lie before 0 (edit lists), repeat or turn back (joined files), be absent (raw streams), or be an
    absurd number. A frame without a usable position comes one interval after the frame before.
    """

    _LONGEST_S = 1e6

    def __init__(self, rate_hz: float) -> None:
        self._interval = 1.0 / rate_hz
        self._t = -self._interval
        self._start: float | None = None

    def time(self, position_s: float | None) -> float:
        """The time of the next frame."""
        t = expected = self._t + self._interval
        if position_s is not None and abs(position_s) < self._LONGEST_S:
            if self._start is None:
                self._start = position_s - expected
            t = position_s - self._start
        self._t = t if t > self._t else expected
        return self._t


class Playback:
    """Releases recorded pictures at once, or when they are due.

    Then one that comes late counts as grabbed when it was due, and too late it is left out, as a camera's would be.
    """

    def __init__(self, name: Path, config: SourceConfig, *, fast: bool) -> None:
        self._name, self._late_s = name, config.late_s
        self.live = not fast
        self.dropped = 0
        self.closed = threading.Event()
        self._size: tuple[int, ...] = ()
        self._warned = False

    def frames(self, pictures: Iterable[Recorded]) -> Iterator[Frame]:
        """The pictures as frames; what is missing or left out is the next one's gap."""
        start: float | None = None
        index, gap = -1, 0
        for t, image, missing in pictures:
            start = time.monotonic() - t if start is None else start
            if self.live:
                self.closed.wait(max(start + t - time.monotonic(), 0.0))
            if self.closed.is_set():
                return
            self._warn(image)
            index, gap = index + 1 + missing, gap + missing
            now = time.monotonic()
            if self.live and 0.0 < self._late_s < now - start - t and gap < MOST_LEFT_OUT:
                gap, self.dropped = gap + 1, self.dropped + 1
                continue
            yield Frame(image, t, index, gap, grabbed=start + t if self.live else now)
            gap = 0

    def _warn(self, image: Image) -> None:
        """Once, of a size that changes."""
        self._size = self._size or image.shape
        if image.shape != self._size and not self._warned:
            self._warned = True
            log.warning("%s: the pictures' size changes from %s to %s", self._name, self._size[:2], image.shape[:2])
