"""What all visitors of the page share."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from realtime.config import Config
from realtime.view.guest import Guest
from realtime.view.link import Link
from realtime.view.meter import Meter
from realtime.view.questions import Questions
from realtime.view.recording import Recordings, sweep
from realtime.view.visitors import Visitors
from realtime.view.watched import Cameras

CHECK_S = 0.25
#: Longest line before the places; who comes later is sent away.
MOST_WAITING = 64
#: Beyond the places, browsers of one address: a household has so many, and the line is not filled by one alone.
MOST_OF_ONE = 8


class Page:
    """The link to the recogniser, the cameras, the guests and what they record; an asynchronous context manager."""

    def __init__(self, config: Config) -> None:
        publish, view = config.publish, config.view
        self.config = config
        self.meter = Meter()
        self.link = Link(publish, self.meter.hear)
        self.asks, self._pictures = Questions(publish), Questions(publish)  # pictures wait for nothing else
        self.cameras = Cameras(self.link, self.asks, self._pictures, landmarks=publish.landmarks)
        self.visitors = Visitors(view.visitors, view.idle_s)
        self.recordings = Recordings(config)
        self.guests: set[Guest] = set()
        self.link.on_change(self._refresh)
        self.meter.watch(self.link, self.visitors)

    def full(self, address: str) -> str:
        """Why not even the line has room for one more from this `address`, or ""."""
        places = self.config.view.visitors
        if sum(guest.address == address for guest in self.guests) >= places + MOST_OF_ONE:
            return "too many pages of your address are open; close some of them, then come again"
        return "too many wait for a place; come again later" if len(self.guests) >= places + MOST_WAITING else ""

    async def __aenter__(self) -> Page:
        await asyncio.to_thread(sweep)
        await self.link.start()
        self._tasks = [asyncio.create_task(each) for each in (self.link.watch(CHECK_S), self._check())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for guest in list(self.guests):
            guest.gone()
        for each in (self.asks, self._pictures):
            each.close()
        await self.link.close()
        self.recordings.close()

    def _refresh(self) -> None:
        for guest in list(self.guests):
            guest.refresh()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            self.visitors.check()
            self.recordings.check()
            self.meter.forget_but(self.link.newest)
            for guest in list(self.guests):
                guest.check()
