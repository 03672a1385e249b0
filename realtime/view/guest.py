"""One browser: what it may do, and what it is told."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from realtime.errors import MessageError
from realtime.message import (
    Answer,
    AskLeave,
    AskMoment,
    AskNeutral,
    Done,
    Event,
    MomentPictures,
    Picture,
    Published,
    Refused,
    Shown,
)
from realtime.view import spoken
from realtime.view.link import GONE
from realtime.view.outgoing import Outgoing
from realtime.view.pace import Pace
from realtime.view.spoken import BROWSER, Hello, Leave, Moment, Neutral, Record, Wanted, told
from realtime.view.tape import Tape
from realtime.view.visitors import unguessable

if TYPE_CHECKING:
    from realtime.view.page import Page

#: The same complaint is made so often at most; what it is about is counted each time.
COMPLAIN_S = 1.0


class Guest:
    """A visitor of `page` behind one WebSocket, with a camera of the own called `name`."""

    def __init__(self, page: Page) -> None:
        self.name = unguessable()
        self.outgoing = Outgoing()
        self.hello = Hello()
        self.heard = time.monotonic()
        self._page = page
        self._inside = self._greeted = self._there = self._sent = False
        self._wanted = self._camera = ""  # that shall be, and is watched
        self._tape = Tape(page.recordings, self.outgoing, self.complain)
        self._pace = Pace(page.config.view.most_hz)
        self._complained: dict[str, float] = {}

    def said(self, text: str) -> None:
        """Take a text from the browser."""
        self.heard = time.monotonic()
        try:
            wanted = spoken.heard(text)
        except MessageError as error:
            self.complain("malformed", str(error))
            return
        match wanted:
            case Hello():
                self._greet(wanted)
            case _ if not self._camera:
                self.refuse("no camera is watched yet; say which with hello, and wait for welcome")
            case _:
                self._do(wanted)

    def seen(self, data: bytes) -> None:
        """Take a picture from the browser."""
        self.heard = time.monotonic()
        self._page.meter.picture(self._see(data), len(data))

    def gone(self) -> None:
        """The browser hung up."""
        self._tape.discard()
        self._leave()
        self._inside = False
        self._page.visitors.go(self)

    def admit(self) -> None:
        """There is a place."""
        self._inside, self._there = True, True
        self.refresh()

    def wait(self, ahead: int, why: str) -> None:
        """There is no place yet, or no longer."""
        self._leave()
        self._inside = False
        self.outgoing.put(told("wait", ahead=ahead, why=why))

    def refresh(self) -> None:
        """The recogniser came or went, or there are other cameras or engines to choose from."""
        if not self._inside:
            return
        self.outgoing.put(self._welcome())
        if self._page.link.there != self._there:
            self._there = not self._there
            self.outgoing.put(told("back") if self._there else spoken.problem("recogniser-gone", GONE))
        if self._wanted != self._camera and self._wanted in self._choice:
            self._watch()

    def check(self) -> None:
        """End what has lasted too long; called a few times a second."""
        self._tape.check()
        if not self._greeted and time.monotonic() - self.heard > self._page.config.view.idle_s:
            self.outgoing.end("no hello came")

    @property
    def ready(self) -> bool:
        """Whether a picture would go out at once."""
        return not self.outgoing.has("picture")

    def hear(self, message: Published, text: str) -> None:
        """A message of the camera that is watched, and the same as a browser reads it."""
        if isinstance(message, Event):
            self.outgoing.put(text)
        else:
            self.outgoing.newest(type(message).__name__, text)
        if self._tape.recording:
            self._tape.recording.write(message)
            if self.hello.pictures and isinstance(message, Event) and message.stage == "final":
                self._page.asks.then(AskMoment(camera=self._camera, event=message.id), partial(self._keep, message.id))

    def show(self, shown: Shown) -> None:
        """A picture of the server's camera."""
        self.outgoing.newest("picture", spoken.picture(shown.frame, shown.t, shown.jpeg))
        if self._tape.recording:
            self._tape.recording.picture(shown.t, shown.frame, shown.jpeg)

    def refuse(self, why: str) -> None:
        """Something was not done."""
        self.complain("refused", why)

    def complain(self, what: spoken.Problem, text: str) -> None:
        """Tell the browser what is wrong, not too often."""
        now = time.monotonic()
        if now - self._complained.get(what, -COMPLAIN_S) >= COMPLAIN_S:
            self._complained[what] = now
            self.outgoing.put(spoken.problem(what, text))

    def _greet(self, hello: Hello) -> None:
        self.hello = hello
        self._wanted = self.name if hello.camera == BROWSER else hello.camera
        if self._inside:
            self._watch()
        elif not self._greeted:
            self._greeted = True
            self._page.visitors.come(self)

    @property
    def _choice(self) -> tuple[str, ...]:
        return (self.name, *self._page.link.cameras)

    def _watch(self) -> None:
        """Watch the camera of the last hello, in the way that it says; if there is none, as soon as there is."""
        if self._wanted not in self._choice:
            if self._page.link.there:
                names = ", ".join((BROWSER, *self._page.link.cameras))
                self.refuse(f"there is no camera {self._wanted!r} now; there are {names}: choose one of them")
            return
        if self._wanted != self._camera:
            self._leave()
            self._camera = self._wanted
        self._page.cameras.join(self._camera, self)

    def _leave(self) -> None:
        """Watch nothing."""
        if not self._camera:
            return
        self._tape.end()
        self._page.cameras.part(self._camera, self)
        if self._sent:
            self._sent = False
            self._page.asks.then(AskLeave(camera=self.name), lambda _: None)
        self._camera = ""

    def _do(self, wanted: Wanted) -> None:
        match wanted:
            case Neutral():
                self._page.asks.then(AskNeutral(camera=self._camera), self._calibrating)
            case Moment(event=event):
                self._page.asks.then(AskMoment(camera=self._camera, event=event), partial(self._moment, event))
            case Record(on=True, video=video):
                newest = self._page.link.newest.get(self._camera)
                engines = [engine.name for engine in newest.engines] if newest else []
                self._tape.begin(BROWSER if self._camera == self.name else self._camera, engines, video=video)
            case Record():
                self._tape.end()
            case Leave():
                self._leave()
                self._wanted = ""

    def _see(self, data: bytes) -> spoken.Fate:
        """Pass a picture on; what became of it comes back."""
        most, most_hz = 1000 * self._page.config.streams.longest_kb, self._page.config.view.most_hz
        if self._camera != self.name:
            return "unasked"  # one that was on its way when the visitor left
        if len(data) > most:
            self.complain("too-large", f"a picture of {len(data)} bytes; at most {most} are taken: send smaller ones")
            return "too-large"
        if not self._pace.allows():
            self.complain("too-fast", f"more than {most_hz:g} pictures a second; the rest is dropped: send fewer")
            return "too-fast"
        try:
            number, t, jpeg = spoken.seen(data)
            taken = self._page.link.send(Picture(t=t, camera=self.name, number=number, jpeg=jpeg))
        except MessageError as error:
            self.complain("malformed", str(error))
            return "malformed"
        self._sent = self._sent or taken
        if self._tape.recording:
            self._tape.recording.sent(number, jpeg)
        return "passed" if taken else "nobody"

    def _welcome(self) -> str:
        config, link = self._page.config, self._page.link
        return told(
            "welcome",
            camera=self.name,
            cameras=link.cameras,
            heads=link.heads,
            most_hz=config.view.most_hz,
            longest_kb=config.streams.longest_kb,
            calibrate_s=config.apex.calibrate_s,
        )

    def _calibrating(self, answer: Answer) -> None:
        if isinstance(answer, Done):
            self.outgoing.put(told("calibrating", seconds=self._page.config.apex.calibrate_s))
        elif isinstance(answer, Refused):
            self.refuse(answer.why)

    def _moment(self, event: int, answer: Answer) -> None:
        if isinstance(answer, MomentPictures):
            self.outgoing.put(spoken.moment(event, answer))
        elif isinstance(answer, Refused):
            self.refuse(answer.why)

    def _keep(self, event: int, answer: Answer) -> None:
        if isinstance(answer, MomentPictures) and self._tape.recording:
            self._tape.recording.moment(event, answer)
