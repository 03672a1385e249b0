"""One browser: what it may do, and what it is told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from realtime.errors import MessageError
from realtime.schema.message import (
    Answer,
    Ask,
    AskLeave,
    AskMoment,
    AskNeutral,
    Done,
    Event,
    MomentPictures,
    Published,
    Refused,
    Shown,
    State,
)
from realtime.view import spoken
from realtime.view.bucket import TokenBucket
from realtime.view.link import GONE, VISITOR
from realtime.view.outgoing import Outgoing
from realtime.view.own import OwnCamera
from realtime.view.spoken import BROWSER, Hello, Leave, Moment, Neutral, Record, Wanted, problem, told
from realtime.view.tape import Tape
from realtime.view.visitors import unguessable
from realtime.view.watched import OTHERS

if TYPE_CHECKING:
    from realtime.view.page import Page
    from realtime.view.recording import Recording

#: The same complaint is made so often at most; what it is about is counted each time.
COMPLAIN_S = 1.0
#: Texts of one browser a second: nobody clicks faster.
TEXTS_HZ = 20.0
#: Questions of one visitor that may be under way: all are answered one after another, those of others as well.
MOST_ASKED = 2
NAMES = re.compile(rf"{VISITOR}\w+")


class Guest:
    """A visitor of `page` behind one WebSocket from `address`, with a camera of the own called `name`."""

    def __init__(self, page: Page, address: str) -> None:
        self.name = unguessable()
        self.address = address
        self.outgoing = Outgoing()
        self.hello = Hello()
        self.heard = time.monotonic()
        self._page = page
        self._inside = self._greeted = self._there = False
        self._wanted = self._camera = ""  # that shall be, and is watched
        self._tape = Tape(page.recordings, self.outgoing, self.complain)
        self._own = OwnCamera(self.name, page, self.complain, lambda why: self.outgoing.put(problem("refused", why)))
        self._bucket = TokenBucket(TEXTS_HZ)
        self._asked = 0  # questions under way
        self._complained: dict[str, float] = {}

    def said(self, text: str) -> bool:
        """Take a text from the browser; False for one that came too fast."""
        self.heard = time.monotonic()
        if not self._bucket.allows():
            self.complain("too-fast", f"more than {TEXTS_HZ:g} texts a second; the rest is dropped: send fewer")
            return False
        try:
            self._heed(spoken.heard(text))
        except MessageError as error:
            self.complain("malformed", str(error))
        return True

    def _heed(self, wanted: Wanted) -> None:
        match wanted:
            case Hello():
                self._greet(wanted)
            case Leave():
                self._leave()
                self._wanted = ""
            case _ if not self._camera:
                self.refuse("no camera is watched yet; say which with hello, and wait for welcome")
            case _:
                self._do(wanted)

    def seen(self, data: bytes) -> bool:
        """Take a picture from the browser; False for one that came too fast."""
        self.heard = time.monotonic()
        fate, picture = self._own.see(data, watched=self._camera == self.name)
        self._page.meter.picture(fate, len(data))
        if picture is not None and self._tape.recording:
            self._tape.recording.sent(picture.number, picture.jpeg)
        return fate != "too-fast"

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
            self.outgoing.put(told("back") if self._there else problem("recogniser-gone", GONE))
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
        if isinstance(message, State) and self._camera == self.name:
            self._own.answered()
        if recording := self._tape.recording:
            recording.write(message)
            if self.hello.pictures and isinstance(message, Event) and message.stage == "final":
                keep = partial(self._keep, recording, message.id)
                self._page.asks.then(AskMoment(camera=self._camera, event=message.id), keep)

    def show(self, shown: Shown) -> None:
        """A picture of the server's camera."""
        self.outgoing.newest("picture", spoken.picture(shown.frame, shown.t, shown.jpeg))
        if self._tape.recording:
            self._tape.recording.picture(shown.t, shown.frame, shown.jpeg)

    def refuse(self, why: str) -> None:
        """Something was not done."""
        self.complain("refused", why)

    def complain(self, what: spoken.Problem, text: str) -> None:
        """Tell the browser what is wrong, not too often, and no name of another visitor's camera."""
        now = time.monotonic()
        if now - self._complained.get(what, -COMPLAIN_S) >= COMPLAIN_S:
            self._complained[what] = now
            text = NAMES.sub(lambda name: name[0] if name[0] == self.name else "another visitor", text)
            self.outgoing.put(problem(what, text))

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
        if self._own.sent:
            self._own.sent = False
            self._page.asks.then(AskLeave(camera=self.name), lambda _: None)
        self._camera = ""

    def _do(self, wanted: Wanted) -> None:
        match wanted:
            case Neutral() if self._page.cameras.first(self._camera) is not self:
                self.refuse(OTHERS)
            case Neutral():
                self._ask(AskNeutral(camera=self._camera), self._calibrating)
            case Moment(event=event):
                self._ask(AskMoment(camera=self._camera, event=event), partial(self._moment, event))
            case Record(on=True, video=video):
                newest = self._page.link.newest.get(self._camera)
                engines = [engine.name for engine in newest.engines] if newest else []
                self._tape.begin(BROWSER if self._camera == self.name else self._camera, engines, video=video)
            case Record():
                self._tape.end()

    def _ask(self, question: Ask, told: Callable[[Answer], None]) -> None:
        def answered(answer: Answer) -> None:
            self._asked -= 1
            told(answer)

        if self._asked >= MOST_ASKED:
            self.complain("too-fast", f"{MOST_ASKED} questions wait for an answer; ask again when they have it")
        else:
            self._asked += 1
            self._page.asks.then(question, answered)

    def _welcome(self) -> str:
        config, link = self._page.config, self._page.link
        return told(
            "welcome",
            camera=self.name,
            cameras=link.cameras,
            heads=link.heads,
            most_hz=config.view.most_hz,
            longest_kb=config.streams.longest_kb,
            calibrate_s=config.spotter.calibrate_s,
        )

    def _calibrating(self, answer: Answer) -> None:
        if isinstance(answer, Done):
            self.outgoing.put(told("calibrating", seconds=self._page.config.spotter.calibrate_s))
        elif isinstance(answer, Refused):
            self.refuse(answer.why)

    def _moment(self, event: int, answer: Answer) -> None:
        if isinstance(answer, MomentPictures):
            self.outgoing.put(spoken.moment(event, answer))
        elif isinstance(answer, Refused):
            self.refuse(answer.why)

    def _keep(self, recording: Recording, event: int, answer: Answer) -> None:
        if isinstance(answer, MomentPictures) and self._tape.recording is recording:
            recording.moment(event, answer)
