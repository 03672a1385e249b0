"""The pictures of a source, recorded as they pass."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.records import Frame

log = logging.getLogger(__name__)

WAITING = 30  # frames, half a second: a disk that is slower loses pictures, never the live stream


class FilmedSource(Around):
    """A source whose frames `keep` gets as well, in a thread of its own; those it has no time for are left out."""

    def __init__(self, source: Source, keep: Callable[[Frame], None]) -> None:
        super().__init__(source)
        self._keep = keep
        self.left_out = 0
        self._waiting: deque[Frame] = deque()
        self._arrived = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="film", daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            with self._arrived:
                if len(self._waiting) < WAITING:
                    self._waiting.append(frame)
                else:
                    self.left_out += 1
                self._arrived.notify()
            yield frame

    def close(self) -> None:
        super().close()
        with self._arrived:
            self._over = True
            self._arrived.notify()
        self._thread.join(timeout=5.0)
        if self.left_out:
            log.warning("%d pictures were not recorded: they could not be written fast enough", self.left_out)
            self.left_out = 0

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            self._keep(frame)

    def _next(self) -> Frame | None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._over)
            return self._waiting.popleft() if self._waiting else None
