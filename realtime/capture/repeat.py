"""A recording from its beginning again and again, as one stream whose clock runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.records import Frame


class Repeated(Around):
    """What `open_again` opens, each time from its beginning, until it is closed; times and numbers go on."""

    def __init__(self, open_again: Callable[[], Source]) -> None:
        super().__init__(open_again())
        self._open = open_again
        self._closed, self._dropped = False, 0

    @property
    def dropped(self) -> int:
        return self._dropped + super().dropped

    def frames(self) -> Iterator[Frame]:
        t, index = 0.0, 0
        while not self._closed:
            shift_t, shift_index = t, index
            for frame in self._source.frames():
                t, index = shift_t + frame.t + 1.0 / self.rate_hz, shift_index + frame.index + 1
                yield replace(frame, t=shift_t + frame.t, index=shift_index + frame.index)
            ended = self._source
            ended.close()
            if not self._closed:
                self._source = self._open()
                self._dropped += ended.dropped

    def close(self) -> None:
        self._closed = True
        super().close()
