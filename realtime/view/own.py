"""A visitor's own camera: its pictures go up to the recogniser, as many and as large as are allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.errors import MessageError
from realtime.schema.message import Picture
from realtime.view import spoken
from realtime.view.bucket import TokenBucket

if TYPE_CHECKING:
    from realtime.view.page import Page

#: Pictures that are sent for so long without any answer find no room there.
NO_ROOM_S = 5.0
#: After such a pause in the pictures that time begins anew: a browser in flight waits for a second.
PAUSE_S = 2.0
NO_ROOM = (
    "no room at the recogniser: it takes your pictures and answers none of them; either it watches as many cameras as "
    "streams.visitors allows, or the last one has not left yet: wait, or come again later"
)

Complain = Callable[[spoken.Problem, str], None]


class OwnCamera:
    """The camera called `name` on the wire; what is wrong with its pictures goes to `complain`."""

    def __init__(self, name: str, page: Page, complain: Complain, no_room: Callable[[str], None]) -> None:
        self.name = name
        self.sent = False  #: the recogniser may know it
        self._page, self._complain, self._no_room = page, complain, no_room
        self._bucket = TokenBucket(page.config.view.most_hz)
        self._passed = -float("inf")  # when a picture last went up
        self._answered = 0.0  # when a state last came back, or when it could first be missed
        self._said = False

    def see(self, data: bytes, *, watched: bool) -> tuple[spoken.Fate, Picture | None]:
        """Pass a picture on while it is `watched`; what became of it, and the picture if it could be read."""
        most, most_hz = 1000 * self._page.config.streams.longest_kb, self._page.config.view.most_hz
        if not self._bucket.allows():
            self._complain("too-fast", f"more than {most_hz:g} pictures a second; the rest is dropped: send fewer")
            return "too-fast", None
        if not watched:
            return "unasked", None  # one that was on its way when the visitor left
        if len(data) > most:
            self._complain("too-large", f"a picture of {len(data)} bytes; at most {most} are taken: send smaller ones")
            return "too-large", None
        try:
            number, t, jpeg = spoken.seen(data)
            picture = Picture(t=t, camera=self.name, number=number, jpeg=jpeg)
            taken = self._page.link.send(picture)
        except MessageError as error:
            self._complain("malformed", str(error))
            return "malformed", None
        if taken:
            self._pass()
        return "passed" if taken else "nobody", picture

    def answered(self) -> None:
        """A state came back."""
        self._answered, self._said = time.monotonic(), False

    def _pass(self) -> None:
        self.sent = True
        now = time.monotonic()
        if now - self._passed > PAUSE_S or not self._page.link.there:
            self._answered = now
        self._passed = now
        if now - self._answered > NO_ROOM_S and not self._said:
            self._said = True
            self._no_room(NO_ROOM)
