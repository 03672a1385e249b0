"""The page's one link to the recogniser: what it publishes comes in, pictures go out."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from realtime.config import PublishConfig
from realtime.publish import Outbox, Subscriber
from realtime.schema.message import AskClock, Clock, Meta, Picture, Published
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.upstream.camera_names import is_browser_camera

log = logging.getLogger(__name__)

#: Nothing at all for so long, and the recogniser is said to be gone.
SILENT_S = 2.0
#: One that watches no camera publishes nothing: after so long it is asked for a sign of life.
QUIET_S = 1.0
#: How long that may take.
PROBE_S = 0.5
#: A server's camera that nothing is heard of for so long is not offered any more.
CAMERA_KEPT_S = 10.0
#: How soon the thread sees that it shall end.
WAKE_S = 0.2
GONE = (
    "nothing is heard from the recogniser; `python -m realtime view` starts it again by itself, else start "
    "`python -m realtime run`: this page goes on as soon as it is there"
)


class RecogniserLink:
    """One subscriber for all visitors, in a thread of its own; all else happens in the page's loop.

    `hear` gets each message of every camera. `changed` is called when the recogniser comes or goes, or when there are
    other cameras or engines to choose from.
    """

    def __init__(self, publish: PublishConfig, hear: Callable[[Published], None], changed: Callable[[], None]) -> None:
        self.there = False  #: whether the recogniser was heard lately
        self.cameras: tuple[str, ...] = ()  #: the server's, as heard lately
        self.heads: tuple[str, ...] = ()  #: engine packages to choose from
        self.newest: dict[str, Meta] = {}  #: the last meta of each camera that lives
        self.missed = self.malformed = 0  #: as Subscriber counts them
        self._publish, self._hear, self._changed = publish, hear, changed
        self._heard = -float("inf")  # the last sign of life, on the monotonic clock
        self._heard_of: dict[str, float] = {}  # the same by camera
        self._outbox = Outbox(publish)
        self._probe = AsyncAsker(publish)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-link", daemon=True)

    async def start(self) -> None:
        """Begin to listen, and see whether somebody is there."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        await self._look()

    async def close(self) -> None:
        """Hang up."""
        self._stopping.set()
        self._probe.close()
        await asyncio.to_thread(self._thread.join, 5.0)
        self._outbox.close()

    def send(self, picture: Picture) -> bool:
        """Pass a picture on; False when nobody takes it now."""
        return self._outbox.send(picture)

    async def watch(self, every_s: float) -> None:
        """Notice silence, and what is heard of no longer, for ever."""
        while True:
            await asyncio.sleep(every_s)
            await self._look()

    def _run(self) -> None:
        with Subscriber(self._publish, states="all", events=True) as subscriber:
            while not self._stopping.is_set():
                received = subscriber.receive(WAKE_S)
                self.missed, self.malformed = subscriber.missed, subscriber.malformed
                if received is not None and not self._loop.is_closed():
                    self._loop.call_soon_threadsafe(self._take, received.message)

    def _take(self, message: Published) -> None:
        known = self.there and message.camera in self._heard_of
        self._heard = self._heard_of[message.camera] = time.monotonic()
        if isinstance(message, Meta):
            self.newest[message.camera] = message
        if not known or isinstance(message, Meta):
            self._offer()
        self._hear(message)

    async def _look(self) -> None:
        now = time.monotonic()
        for camera in [name for name, heard in self._heard_of.items() if now - heard > CAMERA_KEPT_S]:
            del self._heard_of[camera]
            self.newest.pop(camera, None)
        if now - self._heard > QUIET_S and isinstance(await self._probe.ask(AskClock(), PROBE_S), Clock):
            self._heard = time.monotonic()
        self._offer()

    def _offer(self) -> None:
        there = time.monotonic() - self._heard <= max(SILENT_S, 2.0 * self._publish.meta_s)
        cameras = tuple(sorted(name for name in self._heard_of if not is_browser_camera(name)))
        heads = next((meta.heads for meta in self.newest.values() if meta.heads), self.heads)
        if there != self.there:
            said = "the recogniser is there" if there else "nothing is heard from the recogniser any more"
            log.log(logging.INFO if there else logging.WARNING, said)
        if (there, cameras, heads) != (self.there, self.cameras, self.heads):
            self.there, self.cameras, self.heads = there, cameras, heads
            self._changed()
