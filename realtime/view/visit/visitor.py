"""One browser: what it may do, and what it is told."""

from __future__ import annotations

import time

from realtime.errors import MessageError
from realtime.schema.message import AskLeave
from realtime.view.upstream.camera_names import new_camera_name
from realtime.view.upstream.link import GONE
from realtime.view.visit.problems import Problems
from realtime.view.visit.protocol import (
    BROWSER,
    BrowserMessage,
    Hello,
    Leave,
    MomentRequest,
    NeutralRequest,
    RecordRequest,
    decode_text,
    encode,
)
from realtime.view.visit.questions import Questions
from realtime.view.visit.record_button import RecordButton
from realtime.view.visit.send_queue import SendQueue
from realtime.view.visit.services import Services
from realtime.view.visit.token_bucket import TokenBucket
from realtime.view.visit.upload import Upload
from realtime.view.visit.viewer import Viewer
from realtime.view.visit.watched_camera import OTHERS

#: Texts of one browser a second: nobody clicks faster.
TEXTS_HZ = 20.0
#: After so long without a word the browser is told that the page is there: several times in what it waits (link.js).
ALIVE_S = 2.0


class Visitor:
    """Behind one WebSocket from `address`, with a camera of the own called `name`."""

    def __init__(self, services: Services, address: str) -> None:
        self.name = new_camera_name()
        self.address = address
        self.queue = SendQueue()  #: what it is told
        self.heard = time.monotonic()
        self._services = services
        self._inside = self._greeted = self._there = False
        self._wanted = self._camera = ""  # that shall be, and is watched
        config, asker = services.config, services.asker
        self._problems = Problems(self.queue, self.name)
        self._upload = Upload(self.name, config, services.link, self._problems, services.capacity.why)
        self._questions = Questions(asker, self.queue, self._problems, config.spotter.calibrate_s)
        self._button = RecordButton(services.recordings, asker, self.queue, self._problems)
        self._viewer = Viewer(self.queue, self._problems, self._upload, self._button)
        self._bucket = TokenBucket(TEXTS_HZ)

    def take_text(self, text: str) -> bool:
        """What the browser says; False for what came too fast."""
        self.heard = time.monotonic()
        if not self._bucket.allows():
            self._problems.report("too-fast", f"more than {TEXTS_HZ:g} texts a second; the rest is dropped: send fewer")
            return False
        try:
            self._heed(decode_text(text))
        except MessageError as error:
            self._problems.report("malformed", str(error))
        return True

    def take_picture(self, data: bytes) -> bool:
        """A picture of the browser's camera; False for one that came too fast."""
        self.heard = time.monotonic()
        fate, picture = self._upload.take(data, watched=self._camera == self.name)
        self._services.count_picture(fate, len(data))
        if picture is not None:
            self._button.sent(picture)
        return fate != "too-fast"

    def gone(self) -> None:
        """The browser hung up."""
        self._button.discard()
        self._leave()
        self._inside = False
        self._services.waiting_room.go(self)

    def admit(self) -> None:
        """There is a place."""
        self._inside = self._there = True
        self.refresh()

    def wait(self, ahead: int, why: str) -> None:
        """There is no place yet, or no longer."""
        self._leave()
        self._inside = False
        self.queue.put(encode("wait", ahead=ahead, why=why))

    def refresh(self) -> None:
        """The recogniser came or went, or there are other cameras or engines to choose from."""
        if not self._inside:
            return
        self.queue.put(self._welcome())
        if self._services.link.there != self._there:
            self._there = not self._there
            if self._there:
                self.queue.put(encode("back"))
            else:
                self._problems.tell("recogniser-gone", GONE)
        if self._wanted != self._camera and self._wanted in self._choice:
            self._watch()

    def check(self) -> None:
        """End what has lasted too long; called a few times a second."""
        self._button.check()
        if time.monotonic() - self.queue.taken_s > ALIVE_S:
            self.queue.newest("alive", encode("alive"))
        if not self._greeted and time.monotonic() - self.heard > self._services.config.view.idle_s:
            self.queue.end("no hello came")

    def _heed(self, message: BrowserMessage) -> None:
        match message:
            case Hello():
                self._greet(message)
            case Leave():
                self._leave()
                self._wanted = ""
            case _ if not self._camera:
                self._problems.refuse("no camera is watched yet; say which with hello, and wait for welcome")
            case NeutralRequest() if self._services.cameras.first(self._camera) is not self._viewer:
                self._problems.refuse(OTHERS)
            case NeutralRequest():
                self._questions.neutral(self._camera)
            case MomentRequest(event=event):
                self._questions.moment(self._camera, event)
            case RecordRequest(on=True, video=video):
                self._record(video=video)
            case RecordRequest():
                self._button.end()

    def _greet(self, hello: Hello) -> None:
        self._viewer.hello = hello
        self._wanted = self.name if hello.camera == BROWSER else hello.camera
        if self._inside:
            self._watch()
        elif not self._greeted:
            self._greeted = True
            self._services.waiting_room.come(self)

    @property
    def _choice(self) -> tuple[str, ...]:
        return (self.name, *self._services.link.cameras)

    def _watch(self) -> None:
        """Watch the camera of the last hello, in the way that it says; if there is none, as soon as there is."""
        if self._wanted not in self._choice:
            if self._services.link.there:
                names = ", ".join((BROWSER, *self._services.link.cameras))
                self._problems.refuse(f"there is no camera {self._wanted!r} now; there are {names}: choose one of them")
            return
        if self._wanted != self._camera:
            self._leave()
            self._camera = self._wanted
        self._services.cameras.join(self._camera, self._viewer)

    def _leave(self) -> None:
        """Watch nothing."""
        if not self._camera:
            return
        self._button.end()
        self._services.cameras.part(self._camera, self._viewer)
        if self._upload.begun:
            self._upload.begun = False
            self._services.asker.then(AskLeave(camera=self.name), lambda _: None)
        self._camera = ""

    def _record(self, *, video: bool) -> None:
        meta = self._services.link.newest.get(self._camera)
        engines = [engine.name for engine in meta.engines] if meta else []
        self._button.begin(BROWSER if self._camera == self.name else self._camera, engines, video=video)

    def _welcome(self) -> str:
        config, link = self._services.config, self._services.link
        return encode(
            "welcome",
            camera=self.name,
            cameras=link.cameras,
            heads=link.heads,
            most_hz=config.view.most_hz,
            longest_kb=config.streams.longest_kb,
            calibrate_s=config.spotter.calibrate_s,
            recorded=self._services.recorded,
        )
