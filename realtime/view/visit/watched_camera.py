"""A camera that visitors watch: what is said of it, how it is to be watched, and the pictures of a server's."""

from __future__ import annotations

import asyncio
import time

from realtime.schema.message import Answer, AskPicture, AskWish, Published, Refused, Shown, State
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.visit.protocol import encode_published
from realtime.view.visit.viewer import Viewer

#: After so long without a state another stream may have begun under the same name, which knows no wishes yet.
ANEW_S = 1.0
OTHERS = (
    "somebody else watches this camera and chose its engine: engine and calibration of a server's camera belong to "
    "whoever watches it longest"
)


class WatchedCamera:
    """A camera and all who watch it. `landmarks` says whether the points are sent even where no viewer wants them."""

    def __init__(self, name: str, asker: AsyncAsker, *, landmarks: bool) -> None:
        self.name = name
        self.viewers: list[Viewer] = []  #: who came first is first
        self._asker = asker
        self._landmarks = landmarks
        self._state_s = -float("inf")

    def join(self, viewer: Viewer) -> None:
        """Tell `viewer` what comes; also when it wishes for something else."""
        if viewer not in self.viewers:
            self.viewers.append(viewer)
        if viewer.hello.head not in ("", self.viewers[0].hello.head):
            viewer.refuse(OTHERS)
        self._wish(viewer)

    def part(self, viewer: Viewer) -> None:
        """Tell it no more."""
        self.viewers.remove(viewer)
        self._wish(viewer)

    def close(self) -> None:
        """Nobody watches any more."""

    def hear(self, message: Published) -> None:
        """Pass on what is published of this camera."""
        if isinstance(message, State):
            last, self._state_s = self._state_s, time.monotonic()
            if self._state_s - last > ANEW_S:
                self._wish(self.viewers[0])
        text = encode_published(message)
        for viewer in self.viewers:
            viewer.hear(message, text)

    def _wish(self, viewer: Viewer) -> None:
        """Say how the camera is to be watched, once it is there: what anybody wants, and the first one's engine.

        Apart, since an engine that cannot be had is no reason to refuse the rest.
        """
        if time.monotonic() - self._state_s > ANEW_S:
            return
        hellos = [each.hello for each in self.viewers]
        landmarks = self._landmarks or any(hello.landmarks for hello in hellos)
        pictures = any(hello.pictures for hello in hellos)
        self._ask(AskWish(camera=self.name, landmarks=landmarks, pictures=pictures), viewer)
        if hellos and hellos[0].head:
            self._ask(AskWish(camera=self.name, head=hellos[0].head), self.viewers[0])

    def _ask(self, wish: AskWish, viewer: Viewer) -> None:
        def wished(answer: Answer) -> None:
            if isinstance(answer, Refused) and viewer in self.viewers:
                viewer.refuse(answer.why)

        self._asker.then(wish, wished)


class ServerCamera(WatchedCamera):
    """A camera of the server, whose pictures are asked for once for all who watch, as fast as they go out."""

    def __init__(self, name: str, asker: AsyncAsker, picture_asker: AsyncAsker, *, landmarks: bool) -> None:
        super().__init__(name, asker, landmarks=landmarks)
        self._picture_asker = picture_asker
        self._shown = -1  # number of the newest frame that was shown
        self._stated = -1
        self._came = asyncio.Event()
        self._fetching = asyncio.create_task(self._fetch())

    def close(self) -> None:
        """Nobody watches any more."""
        self._fetching.cancel()

    def hear(self, message: Published) -> None:
        """Pass it on; a state says that there is a new picture."""
        super().hear(message)
        if isinstance(message, State):
            if message.frame < self._stated:  # the recogniser has begun anew
                self._shown = -1
            self._stated = message.frame
            self._came.set()

    async def _fetch(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            if any(viewer.ready for viewer in self.viewers):
                answer = await self._picture_asker.ask(AskPicture(camera=self.name, after=self._shown))
                if isinstance(answer, Shown) and answer.jpeg:
                    self._shown = answer.frame
                    for viewer in self.viewers:
                        viewer.show(answer)
