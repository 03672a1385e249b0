"""What waits to be sent to one browser."""

from __future__ import annotations

import asyncio
import time
from collections import deque

#: Messages that must arrive: minutes of events. A browser that lags further is hung up on, and comes again.
MOST_WAITING = 1000


class SendQueue:
    """Of states, metas and pictures the newest, of all else each: a slow browser is late by one message alone."""

    def __init__(self) -> None:
        self._must: deque[str] = deque()
        self._newest: dict[str, str | bytes] = {}
        self._there = asyncio.Event()
        self.over = asyncio.Event()  #: the browser is to be hung up on, for what `why` says
        self.why = ""
        self.taken_s = time.monotonic()  #: when something was last taken out, on the monotonic clock
        self.replaced = 0  #: messages that a newer one took the place of

    def put(self, text: str) -> None:
        """Send `text`, whatever else waits; where so much does that some would be lost, it is the end."""
        if len(self._must) >= MOST_WAITING:
            self.end(f"more than {MOST_WAITING} messages wait for this browser")
        if not self.over.is_set():
            self._must.append(text)
            self._there.set()

    def newest(self, kind: str, message: str | bytes) -> None:
        """Send `message` unless another of its `kind` comes first."""
        if not self.over.is_set():
            self.replaced += kind in self._newest
            self._newest[kind] = message
            self._there.set()

    def has(self, kind: str) -> bool:
        """Whether one of this `kind` still waits."""
        return kind in self._newest

    def end(self, why: str) -> None:
        """Hang up, whatever waits or is on its way."""
        self._must.clear()
        self._newest.clear()
        self._there.clear()
        self.why = self.why or why
        self.over.set()

    async def next(self) -> str | bytes:
        """The next message, once there is one."""
        await self._there.wait()
        message = self._must.popleft() if self._must else self._newest.pop(next(iter(self._newest)))
        if not (self._must or self._newest):
            self._there.clear()
        self.taken_s = time.monotonic()
        return message
