"""Events in the order of their numbers, each once: what is missing is asked for before the next one is handed out.

Numbers begin anew with every run of Glimpse. What is missing when another run begins is the rest of the run before,
then all runs in between, as far as the new one kept them, then the beginning of the new one.
"""

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
        self.restarts = 0  #: how often another run followed the one before
        self.run = ""  #: whose numbers these are; "" before it is known, and of a Glimpse that does not say it
        self.wanted = since  #: the events of `run` after this number are to be asked for; None while none is missing
        self._last = since  # handed out
        self._live: int | None = None  # heard live
        self._held: Event | None = None  # came live, and waits for those before it
        self._until: tuple[str, int] | None = None  # run and number of the first event that is not asked for
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
        if self.run and event.run != self.run:
            self._want((event.run, event.seq), event)
        elif not self.run or event.seq > (self._last or 0):  # a run never says a number twice
            self.run = event.run
            self._follow(event)

    def announce(self, run: str, last: int) -> None:
        """The publisher said which run it is, and the number of its last event, when it was connected to, or again."""
        if not run:
            return
        if self.run and run != self.run:
            self._want((run, last + 1))
            return
        if self._last is None or (not self.run and self._last > last):
            self._last = last if self._last is None else 0
        self.run = run
        if self._last < last:
            self._want((run, last + 1))

    def see(self, run: str) -> None:
        """The run was said, by a publisher whose events are not followed."""
        if self.run and run != self.run:
            self._begin(run)
        self.run = run

    def fill(self, answer: Events) -> None:
        """What is still kept of those that were wanted; there may be more to want."""
        self.run = self.run or answer.run
        if self._until is None and self.wanted is not None and answer.last < self.wanted:
            log.info("events since %d are wanted of %d: the publisher has begun anew", self.wanted, answer.last)
            self._last = self.wanted = 0
            return
        within = self._until is not None and self._until[0] == self.run
        end = self._until[1] if self._until is not None and within else answer.last + 1
        before = self._last
        for event in answer.events if answer.run == self.run else ():
            if self._last is not None and self._last < event.seq < end:
                self._accept(event)
                if self._until is None:
                    self._begun[event.seq] = event
        self.wanted = self._last
        if self._last == before or self._last == end - 1:
            self._turn(answer)

    def give_up(self) -> None:
        """Nothing more will come of what is wanted."""
        if self._until is not None and self._until[0] != self.run:
            self._begin(self._until[0])
        if self._held is not None:
            self._accept(self._held)
        self._held = self._until = self.wanted = None

    def _follow(self, event: Event) -> None:
        newest = self._last if self._live is None else self._live
        if newest is not None and event.seq <= newest:
            log.info("event %d after %d: the publisher has begun anew", event.seq, newest)
            self._last = 0
        self._live = event.seq
        if self._last is None or event.seq <= self._last + 1:
            self._accept(event)
        else:
            self._want((event.run, event.seq), event)

    def _want(self, until: tuple[str, int], held: Event | None = None) -> None:
        self._until, self._held, self.wanted = until, held, self._last or 0

    def _turn(self, answer: Events) -> None:
        """Go on with the run that follows, up to the one that was heard live."""
        if self._until is None or self._until[0] == self.run:
            self.give_up()
            return
        if answer.run == self.run and answer.first and not answer.followed_by:  # what came live is older than this run
            self._held = self._until = self.wanted = None
            return
        self._begin(answer.followed_by or self._until[0])
        self.wanted = 0
        if self._until == (self.run, 1):  # nothing comes before it
            self.give_up()

    def _begin(self, run: str) -> None:
        self.restarts += 1
        log.warning("Glimpse was started again: run %s follows %s, and numbers its events anew", run or "?", self.run)
        self.run, self._last, self._live = run, 0, None

    def _accept(self, event: Event) -> None:
        lost = 0 if self._last is None else max(0, event.seq - self._last - 1)
        if lost:
            log.warning(
                "%d events before number %d never came: this reader is too slow, or was cut off", lost, event.seq
            )
        self.missed += lost
        self._last = event.seq
        self._ready.append(event)
