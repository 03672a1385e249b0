"""Pictures of a browser's camera, on their way up to the recogniser: as many and as large as are allowed."""

from __future__ import annotations

import time
from collections.abc import Callable

from realtime.config import Config
from realtime.errors import MessageError
from realtime.schema.message import Picture
from realtime.view.upstream.link import RecogniserLink
from realtime.view.visit.problems import Problems
from realtime.view.visit.protocol import Dropped, Fate, decode_picture
from realtime.view.visit.token_bucket import TokenBucket

#: Pictures that are sent for so long without any answer find no room there.
NO_ROOM_S = 5.0
#: After such a pause in the pictures that time begins anew: a browser in flight waits for a second.
PAUSE_S = 2.0
NO_ROOM = (
    "no room at the recogniser: it takes your pictures and answers none of them; either it watches as many cameras as "
    "streams.visitors allows, or the last one has not left yet: wait, or come again later"
)


class Upload:
    """Of the camera called `name` on the wire; what is wrong with its pictures goes to `problems`.

    `full` says why the first of them may not go up now, or "": then the next one is tried.
    """

    def __init__(
        self,
        name: str,
        config: Config,
        link: RecogniserLink,
        problems: Problems,
        full: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.begun = False  #: the recogniser may know the camera
        self._link, self._problems, self._clock = link, problems, clock
        self._full = full
        self._most_hz, self._most_bytes = config.view.most_hz, 1000 * config.streams.longest_kb
        self._bucket = TokenBucket(self._most_hz, clock)
        self._sent_s = -float("inf")  # when a picture last went up
        self._answered_s = 0.0  # when a state last came back, or when it could first be missed
        self._told = False

    def take(self, data: bytes, *, watched: bool) -> tuple[Fate, Picture | None]:
        """Pass a picture on while its camera is `watched`; what became of it, and the picture if it could be read."""
        if not self._bucket.allows():
            text = f"more than {self._most_hz:g} pictures a second; the rest is dropped: send fewer"
            return self._drop("too-fast", text), None
        if not watched:
            return "unasked", None  # one that was on its way when the visitor left
        if len(data) > self._most_bytes:
            text = f"a picture of {len(data)} bytes; at most {self._most_bytes} are taken: send smaller ones"
            return self._drop("too-large", text), None
        try:
            number, t, jpeg = decode_picture(data)
            picture = Picture(t=t, camera=self.name, number=number, jpeg=jpeg)
            return self._send(picture), picture
        except MessageError as error:
            return self._drop("malformed", str(error)), None

    def answered(self) -> None:
        """A state came back."""
        self._answered_s, self._told = self._clock(), False

    def _drop(self, what: Dropped, text: str) -> Dropped:
        self._problems.report(what, text)
        return what

    def _send(self, picture: Picture) -> Fate:
        if not self.begun and (why := self._full()):
            self._problems.report("full", why)
            return "nobody"
        if not self._link.send(picture):
            return "nobody"
        self.begun = True
        now = self._clock()
        if now - self._sent_s > PAUSE_S or not self._link.there:
            self._answered_s = now
        self._sent_s = now
        if now - self._answered_s > NO_ROOM_S and not self._told:
            self._told = True
            self._problems.tell("refused", NO_ROOM)
        return "passed"
