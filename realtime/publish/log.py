"""The newest events, to be asked for again."""

from __future__ import annotations

import threading
from collections import deque

from realtime.schema.message import Event, Events

#: Of one answer: a third of a millisecond to make, so that nobody waits for somebody else's long list.
MOST_BYTES = 1 << 18


class EventLog:
    """The newest `most` events by number, which have no gaps; any thread may ask."""

    def __init__(self, most: int) -> None:
        self._kept: deque[tuple[Event, int]] = deque(maxlen=most)
        self._lock = threading.Lock()
        self._last = 0

    @property
    def last(self) -> int:
        """Number of the newest event, which counts them all; 0 before the first."""
        return self._last

    def add(self, event: Event, size_bytes: int) -> None:
        """Keep the event that follows the last one."""
        with self._lock:
            self._kept.append((event, size_bytes))
            self._last = event.seq

    def after(self, since: int) -> Events:
        """Those with numbers above `since` that are still kept, at least one and at most 256 KB of them."""
        with self._lock:
            first = self._last - len(self._kept) + 1
            return Events(first=first, last=self._last, events=self._from(max(since + 1 - first, 0)))

    def _from(self, place: int) -> tuple[Event, ...]:
        chosen: list[Event] = []
        room = MOST_BYTES
        while place < len(self._kept):
            event, size_bytes = self._kept[place]
            room -= size_bytes
            if chosen and room < 0:
                break
            chosen.append(event)
            place += 1
        return tuple(chosen)
