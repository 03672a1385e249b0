"""A camera that visitors watch: what is said of it, how it is to be watched, and the pictures of a server's."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from realtime.schema.message import Answer, AskPicture, AskWish, Published, Refused, Shown, State
from realtime.view.link import VISITOR, Link
from realtime.view.questions import Questions
from realtime.view.spoken import Hello, published

#: After so long without a state another stream may have begun under the same name, which knows no wishes yet.
ANEW_S = 1.0
OTHERS = (
    "somebody else watches this camera and chose its engine: engine and calibration of a server's camera belong to "
    "whoever watches it longest"
)


class Watcher(Protocol):
    """Who watches."""

    hello: Hello

    @property
    def ready(self) -> bool:
        """Whether a picture would go out at once."""

    def hear(self, message: Published, text: str) -> None:
        """A message, and the same as a browser reads it."""

    def show(self, shown: Shown) -> None:
        """A picture of the server's camera."""

    def refuse(self, why: str) -> None:
        """What was wished for cannot be."""


class Watched:
    """A camera and all who watch it. `landmarks` says whether the points are sent even where no watcher wants them."""

    def __init__(self, camera: str, asks: Questions, *, landmarks: bool) -> None:
        self.camera = camera
        self.watchers: list[Watcher] = []  #: who came first is first
        self._asks = asks
        self._landmarks = landmarks
        self._state_s = -float("inf")

    def join(self, watcher: Watcher) -> None:
        """Tell `watcher` what comes; also when it wishes for something else."""
        if watcher not in self.watchers:
            self.watchers.append(watcher)
        if watcher.hello.head not in ("", self.watchers[0].hello.head):
            watcher.refuse(OTHERS)
        self._wish(watcher)

    def part(self, watcher: Watcher) -> None:
        """Tell it no more."""
        self.watchers.remove(watcher)
        self._wish(watcher)

    def close(self) -> None:
        """Nobody watches any more."""

    def hear(self, message: Published) -> None:
        """Pass on what is published of this camera."""
        if isinstance(message, State):
            last, self._state_s = self._state_s, time.monotonic()
            if self._state_s - last > ANEW_S:
                self._wish(self.watchers[0])
        text = published(message)
        for watcher in list(self.watchers):
            watcher.hear(message, text)

    def _wish(self, asker: Watcher) -> None:
        """Say how the camera is to be watched, once it is there: what anybody wants, and the first one's engine.

        Apart, since an engine that cannot be had is no reason to refuse the rest.
        """
        if time.monotonic() - self._state_s > ANEW_S:
            return
        hellos = [watcher.hello for watcher in self.watchers]
        landmarks = self._landmarks or any(hello.landmarks for hello in hellos)
        pictures = any(hello.pictures for hello in hellos)
        self._ask(AskWish(camera=self.camera, landmarks=landmarks, pictures=pictures), asker)
        if hellos and hellos[0].head:
            self._ask(AskWish(camera=self.camera, head=hellos[0].head), self.watchers[0])

    def _ask(self, wish: AskWish, asker: Watcher) -> None:
        def wished(answer: Answer) -> None:
            if isinstance(answer, Refused) and asker in self.watchers:
                asker.refuse(answer.why)

        self._asks.then(wish, wished)


class Shared(Watched):
    """A camera of the server, whose pictures are asked for once for all who watch, as fast as they go out."""

    def __init__(self, camera: str, asks: Questions, pictures: Questions, *, landmarks: bool) -> None:
        super().__init__(camera, asks, landmarks=landmarks)
        self._pictures = pictures
        self._had = -1  # number of the newest frame that was shown
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
                self._had = -1
            self._stated = message.frame
            self._came.set()

    async def _fetch(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            if any(watcher.ready for watcher in self.watchers):
                answer = await self._pictures.ask(AskPicture(camera=self.camera, after=self._had))
                if isinstance(answer, Shown) and answer.jpeg:
                    self._show(answer)

    def _show(self, shown: Shown) -> None:
        self._had = shown.frame
        for watcher in list(self.watchers):
            watcher.show(shown)


class Cameras:
    """All cameras that are watched, by name, fed by `link`."""

    def __init__(self, link: Link, asks: Questions, pictures: Questions, *, landmarks: bool) -> None:
        self._link, self._asks, self._pictures = link, asks, pictures
        self._landmarks = landmarks
        self._watched: dict[str, Watched] = {}

    def join(self, camera: str, watcher: Watcher) -> None:
        """Let `watcher` watch `camera`, or wish for something else there."""
        if camera not in self._watched:
            self._watched[camera] = self._open(camera)
        self._watched[camera].join(watcher)

    def first(self, camera: str) -> Watcher:
        """Who watches `camera` longest."""
        return self._watched[camera].watchers[0]

    def part(self, camera: str, watcher: Watcher) -> None:
        """Let it watch no longer."""
        watched = self._watched[camera]
        watched.part(watcher)
        if not watched.watchers:
            del self._watched[camera]
            self._link.ignore(camera, watched.hear)
            watched.close()

    def _open(self, camera: str) -> Watched:
        watched = (
            Watched(camera, self._asks, landmarks=False)
            if camera.startswith(VISITOR)
            else Shared(camera, self._asks, self._pictures, landmarks=self._landmarks)
        )
        self._link.listen(camera, watched.hear)
        return watched
