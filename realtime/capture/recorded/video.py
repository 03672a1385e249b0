"""A video file as a source: each frame at the time that the file says, so that a variable rate stays one."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from realtime.capture.mode import plausible
from realtime.capture.recorded.decoder import Decoder
from realtime.capture.recorded.playback import MediaClock, Playback, Recorded
from realtime.config import SourceConfig
from realtime.errors import SourceError
from realtime.records import Frame, Image

log = logging.getLogger(__name__)


class VideoFile:
    """A recorded clip; frames that change their size inside a file are scaled to the size of the first."""

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._path = path
        self._playback = Playback(path, config, fast=fast)
        self.live = self._playback.live
        self._lock = threading.Lock()  # `close` must not free a decoder while another thread reads from it
        self._decoder = Decoder(path, config.largest_px, config.scaled_px)
        self.rate_hz = plausible(self._decoder.rate_hz, config.rate_hz)
        self.seconds = self._decoder.seconds
        self._announced = self._decoder.announced
        first = self._read()  # here, so that a file without frames fails where it is opened
        if first is None:
            self.close()
            raise SourceError(f"{path} has no frame that can be decoded; record it again, or give another file")
        self._first = first

    @property
    def dropped(self) -> int:
        return self._playback.dropped

    def frames(self) -> Iterator[Frame]:
        return self._playback.frames(self._recorded())

    def close(self) -> None:
        with self._lock:
            if not self._playback.closed.is_set():
                self._playback.closed.set()
                self._decoder.close()

    def _recorded(self) -> Iterator[Recorded]:
        clock, t, count = MediaClock(self.rate_hz), 0.0, 0
        for position, image in itertools.chain([self._first], iter(self._read, None)):
            t, count = clock.time(position), count + 1
            yield Recorded(t, image)
        if (count < self._announced or self._decoder.damaged) and not self._playback.closed.is_set():
            log.warning(
                "%s: %d of %d announced frames could be decoded; it may be cut off after %.2f s",
                self._path, count, max(self._announced, count + self._decoder.damaged), t,
            )  # fmt: skip

    def _read(self) -> tuple[float | None, Image] | None:
        """Position in seconds and picture of the next frame; None at the end."""
        with self._lock:
            return None if self._playback.closed.is_set() else self._decoder.read()
