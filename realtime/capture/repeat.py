"""A recording from its beginning again and again, as one stream whose clock runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.records import Frame

#: Between two pictures of one that rests: it is still there, and is seen again at once.
REST_S = 0.5


class Repeated(Around):
    """What `open_again` opens, each time from its beginning, until it is closed; times and numbers go on.

    After its first pass it rests whenever `wanted` says no: then only its first picture comes, each `REST_S`.
    """

    def __init__(self, open_again: Callable[[], Source]) -> None:
        super().__init__(open_again())
        self.wanted: Callable[[], bool] = lambda: True
        self._open = open_again
        self._closed, self._dropped = threading.Event(), 0

    @property
    def dropped(self) -> int:
        return self._dropped + super().dropped

    def frames(self) -> Iterator[Frame]:
        t, index, passed = 0.0, 0, False
        while not self._closed.is_set():
            shift_t, shift_index = t, index
            for frame in self._source.frames():
                t, index = shift_t + frame.t + 1.0 / self.rate_hz, shift_index + frame.index + 1
                yield replace(frame, t=shift_t + frame.t, index=shift_index + frame.index)
                if passed and not self.wanted():
                    break
            passed = True
            if not self.wanted():
                self._closed.wait(REST_S)
                t += REST_S
            self._begin_again()

    def close(self) -> None:
        self._closed.set()
        super().close()

    def _begin_again(self) -> None:
        ended = self._source
        ended.close()
        if not self._closed.is_set():
            self._source = self._open()
            self._dropped += ended.dropped
