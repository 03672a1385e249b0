"""Passwords that are tried: a few at a time, and after one that is wrong there is a pause."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from realtime.view.door.household import household

log = logging.getLogger(__name__)

#: Pause after the first failed try from an address; it doubles up to the other, and is forgotten after a while.
PAUSE_FIRST_S, PAUSE_MOST_S, FORGET_S = 0.5, 16.0, 900.0
#: Tries of one address that may be under way at once; those that fail stay so for their pause.
MOST_TRIES = 4
#: Tries of all addresses that wait for their turn, each of which takes a quarter of a second.
MOST_WAITING = 32
MOST_ADDRESSES = 1000


class Tries:
    """Counts by household, of which each may try little, so that nobody waits for long because of another."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how often, and when last
        self._trying: Counter[str] = Counter()
        self._waiting = 0
        self._one_at_a_time = asyncio.Lock()  # each takes 32 MB and a quarter of a second

    async def attempt(self, address: str, fits: Callable[[], bool]) -> bool | None:
        """What `fits` says, asked in a thread, after the pause where that is no; None where too many try already."""
        who = household(address)
        if self._trying[who] >= MOST_TRIES or self._waiting >= MOST_WAITING:
            return None
        self._trying[who] += 1
        try:
            if await self._in_turn(fits):
                self._failed.pop(who, None)
                return True
            await self._hold(who)
            return False
        finally:
            self._trying[who] -= 1
            self._trying += Counter()  # leaves out who tries no more

    async def _in_turn(self, fits: Callable[[], bool]) -> bool:
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(fits)
        finally:
            self._waiting -= 1

    async def _hold(self, who: str) -> None:
        now = time.monotonic()
        often, last = self._failed.pop(who, (0, now))
        often = often + 1 if now - last < FORGET_S else 1
        self._failed[who] = (often, now)
        while len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
        log.warning("login from %s failed, %d in a row", who, often)
        await asyncio.sleep(min(PAUSE_FIRST_S * 2.0 ** min(often - 1, 10), PAUSE_MOST_S))
