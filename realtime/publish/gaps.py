"""Events in the order of their numbers, each once: what is missing is asked for before the next one is handed out."""

from __future__ import annotations

import logging
from collections import deque

from realtime.schema.message import Event, Events

log = logging.getLogger(__name__)


class Gaps:
    """What a subscriber knows about the numbers; it takes no live event while `wanted` says that some are missing.

    `since` is the number after which to begin; None begins with whatever comes first.
    """

    def __init__(self, since: int | None = None) -> None:
        self.missed = 0  #: events that were sent but will never come
        self.wanted = since  #: the events after this number are to be asked for; None while none is missing
        self._last = since  # handed out
        self._live: int | None = None  # heard live
        self._held: Event | None = None  # came live, and waits for those before it
        self._begun: dict[int, Event] = {}  # asked for at the beginning: some of them may come live as well
        self._ready: deque[Event] = deque()

    def next(self) -> Event | None:
        """The event to hand out now."""
        return self._ready.popleft() if self._ready else None

    def push(self, event: Event) -> None:
        """An event that came live."""
        if self._begun.get(event.seq) == event:
            return
        self._begun = {}
        newest = self._last if self._live is None else self._live
        if newest is not None and event.seq <= newest:
            log.info("event %d after %d: the publisher has begun anew", event.seq, newest)
            self._last = 0
        self._live = event.seq
        if self._last is None or event.seq <= self._last + 1:
            self._accept(event)
        else:
            self._held, self.wanted = event, self._last

    def fill(self, answer: Events) -> None:
        """What is still kept of those that were wanted; there may be more to want."""
        if self.wanted is not None and answer.last < self.wanted and self._held is None:
            log.info("events since %d are wanted of %d: the publisher has begun anew", self.wanted, answer.last)
            self._last = self.wanted = 0
            return
        end = answer.last + 1 if self._held is None else self._held.seq
        before = self._last
        for event in answer.events:
            if self._last is not None and self._last < event.seq < end:
                self._accept(event)
                if self._held is None:
                    self._begun[event.seq] = event
        self.wanted = self._last
        if self._last == before or self._last == end - 1:
            self.give_up()

    def give_up(self) -> None:
        """Nothing more will come of what is wanted."""
        if self._held is not None:
            self._accept(self._held)
        self._held = self.wanted = None

    def _accept(self, event: Event) -> None:
        lost = 0 if self._last is None else max(0, event.seq - self._last - 1)
        if lost:
            log.warning(
                "%d events before number %d never came: this reader is too slow, or was cut off", lost, event.seq
            )
        self.missed += lost
        self._last = event.seq
        self._ready.append(event)
