"""What is there once, for all visitors of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from realtime.config import Config
from realtime.schema.message import Published
from realtime.view.access.waiting_room import WaitingRoom
from realtime.view.metrics import Metrics
from realtime.view.recording.private_folder import sweep
from realtime.view.recording.store import RecordingStore
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.upstream.link import RecogniserLink
from realtime.view.visit.cameras import Cameras
from realtime.view.visit.capacity import Capacity
from realtime.view.visit.services import Services
from realtime.view.visit.visitor import Visitor

CHECK_S = 0.25
#: Longest line before the places; who comes later is sent away.
MOST_WAITING = 64
#: Beyond the places, browsers of one address: a household has so many, and the line is not filled by one alone.
MOST_OF_ONE = 8


class Page:
    """The link to the recogniser, the visitors and what they record; an asynchronous context manager.

    What comes over the link is a `recorded` session, or happens now.
    """

    def __init__(self, config: Config, *, recorded: bool = False) -> None:
        publish, view = config.publish, config.view
        self._askers = asker, picture_asker = AsyncAsker(publish), AsyncAsker(publish)  # pictures wait for nothing else
        self.metrics = Metrics()
        link = RecogniserLink(publish, self._hear, self._refresh)
        self.services = Services(
            config=config,
            link=link,
            asker=asker,
            cameras=Cameras(asker, picture_asker, landmarks=publish.landmarks),
            capacity=Capacity(view.least_hz, link.newest),
            waiting_room=WaitingRoom(view.visitors, view.idle_s),
            recordings=RecordingStore(config),
            count_picture=self.metrics.picture,
            recorded=recorded,
        )
        self._visitors: set[Visitor] = set()
        self.metrics.watch(self.services.link, self.services.waiting_room)

    def full(self, address: str) -> str:
        """Why not even the line has room for one more from this `address`, or ""."""
        places = self.services.config.view.visitors
        if sum(visitor.address == address for visitor in self._visitors) >= places + MOST_OF_ONE:
            return "too many pages of your address are open; close some of them, then come again"
        return "too many wait for a place; come again later" if len(self._visitors) >= places + MOST_WAITING else ""

    @contextmanager
    def visit(self, address: str) -> Iterator[Visitor]:
        """A visitor from `address`, while the browser is connected."""
        visitor = Visitor(self.services, address)
        self._visitors.add(visitor)
        try:
            yield visitor
        finally:
            self._visitors.discard(visitor)
            visitor.gone()

    async def __aenter__(self) -> Page:
        await asyncio.to_thread(sweep)
        await self.services.link.start()
        self._tasks = [asyncio.create_task(each) for each in (self.services.link.watch(CHECK_S), self._check())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for visitor in list(self._visitors):
            visitor.gone()
        for asker in self._askers:
            asker.close()
        await self.services.link.close()
        self.services.recordings.close()

    def _hear(self, message: Published) -> None:
        self.metrics.hear(message)
        self.services.cameras.hear(message)
        self.services.capacity.hear(message)

    def _refresh(self) -> None:
        for visitor in list(self._visitors):
            visitor.refresh()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            self.services.waiting_room.check()
            self.services.recordings.check()
            self.metrics.forget_but(self.services.link.newest)
            for visitor in list(self._visitors):
                visitor.check()
