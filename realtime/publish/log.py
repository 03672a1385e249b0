"""The newest events, to be asked for again: those of this run, and those that were kept of the runs before it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from realtime.schema.message import Event, Events

#: Of one answer: a third of a millisecond to make, so that nobody waits for somebody else's long list.
MOST_BYTES = 1 << 18
#: An event, and how long its message is.
Sized = tuple[Event, int]


class EventLog:
    """The newest `most` events of `run` by number, which have no gaps; any thread may ask.

    Of earlier runs as many; their numbers may have gaps, since not all that is published is recorded.
    """

    def __init__(self, most: int, run: str = "") -> None:
        self.run = run
        self._kept: deque[Sized] = deque(maxlen=most)
        self._earlier: dict[str, list[Sized]] = {}
        self._most = most
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

    def remember(self, earlier: Sequence[Sized]) -> None:
        """Keep events of earlier runs too, the oldest first, in place of those that were remembered before."""
        with self._lock:
            self._earlier = {}
            for event, size_bytes in earlier[-self._most :] if self._most else ():
                self._earlier.setdefault(event.run, []).append((event, size_bytes))

    def after(self, since: int, run: str = "") -> Events:
        """Those with numbers above `since` that are still kept of `run`, at least one and at most 256 KB of them."""
        with self._lock:
            if run not in ("", self.run):
                return self._after_earlier(since, run)
            first = self._last - len(self._kept) + 1
            chosen = _fitting(islice(self._kept, max(since + 1 - first, 0), None))
            return Events(first=first, last=self._last, events=chosen, run=self.run)

    def _after_earlier(self, since: int, run: str) -> Events:
        kept = self._earlier.get(run)
        if not kept:
            return Events(first=0, last=0, events=(), run=run)
        runs = [*self._earlier, self.run]
        return Events(
            first=kept[0][0].seq,
            last=kept[-1][0].seq,
            events=_fitting(each for each in kept if each[0].seq > since),
            run=run,
            followed_by=runs[runs.index(run) + 1],
        )


def _fitting(events: Iterable[Sized]) -> tuple[Event, ...]:
    chosen: list[Event] = []
    room = MOST_BYTES
    for event, size_bytes in events:
        room -= size_bytes
        if chosen and room < 0:
            break
        chosen.append(event)
    return tuple(chosen)
