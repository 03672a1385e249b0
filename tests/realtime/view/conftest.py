"""A recogniser that does what a test says, and a page before it, in one process."""

import asyncio
import json
import struct
import tempfile
import threading
import time
from contextlib import contextmanager, suppress

import msgspec
import pytest
from websockets.sync.client import connect

from realtime import config
from realtime.publish import Answers, Inbox, Publisher
from realtime.schema.message import (
    AskClock,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Clock,
    Done,
    MomentPictures,
    Refused,
    Shown,
)
from realtime.view.app import create
from realtime.view.serve import listen, server
from realtime.view.visit import problems, visitor

JPEG = b"\xff\xd8 a picture"
PATIENCE_S = 20.0
RECORDS = ("state", "event", "meta")


class Recogniser:
    """Answers each picture with a state of its camera, and each question as scripted."""

    def __init__(self, publish, make):
        self._make = make
        self.asked, self.pictures, self.shown = [], [], {}
        self.calm = threading.Event()  #: set: pictures are not answered
        self.publisher = Publisher(publish)
        self._ends = [Answers(publish, self.publisher, self), Inbox(publish, self.take)]
        self.publish = msgspec.structs.replace(
            publish,
            state_port=self.publisher.state_port,
            events_port=self.publisher.events_port,
            replay_port=self._ends[0].port,
            frames_port=self._ends[1].port,
        )

    def take(self, picture):
        self.pictures.append(picture)
        if not self.calm.is_set():
            self.publisher.state(self._make.state(picture.number, self._make.face(1, 2.0), camera=picture.camera))

    def answer(self, question):
        self.asked.append(question)
        match question:
            case AskClock():
                return Clock(monotonic_s=time.monotonic(), unix_s=time.time(), cameras={})
            case AskPicture(camera=camera, after=after):
                frame, jpeg = self.shown.get(camera, (0, b""))
                return Shown(frame=frame, t=frame / 10, jpeg=jpeg if frame > after else b"")
            case AskMoment(event=99):
                return Refused(why="no pictures of event 99 are kept")
            case AskMoment():
                return MomentPictures(onset=self._make.jpeg(1), apex=self._make.jpeg(2), exaggerated=b"", times=4.0)
            case AskWish(head="nonsense"):
                return Refused(why="there is no package nonsense")
            case AskNeutral():
                return Done()
        return Done()

    def script(self, kind, answer):
        """Have questions of this kind answered by `answer`, which also gets what would have been answered otherwise."""
        before = self.answer
        self.answer = lambda asked: answer(asked, before) if isinstance(asked, kind) else before(asked)

    def of(self, kind):
        return [question for question in self.asked if isinstance(question, kind)]

    def see(self, camera, frame, jpeg=b""):
        """A frame of the server's own camera."""
        self.shown[camera] = (frame, jpeg)
        self.publisher.state(self._make.state(frame, camera=camera))

    def close(self):
        for end in (*self._ends, self.publisher):
            end.close()


class Browser:
    """What a page of ours would say, and what it is told."""

    def __init__(self, url, **options):
        self.socket = connect(url.replace("http", "ws") + "live", max_size=None, **options)

    def say(self, do, **rest):
        self.socket.send(json.dumps({"do": do, **rest}))

    def send(self, number, jpeg=JPEG, t=None):
        self.socket.send(struct.pack("<Id", number, number / 30 if t is None else t) + jpeg)

    def next(self, timeout=PATIENCE_S):
        told = self.socket.recv(timeout)
        if isinstance(told, bytes):
            return (*struct.unpack("<Id", told[:12]), told[12:])
        told = json.loads(told)
        return {**told, **told.get(told["kind"], {}), "kind": told["kind"]} if told["kind"] in RECORDS else told

    def until(self, kind, timeout=PATIENCE_S, **wanted):
        """The next message of this kind with these values; others are skipped."""
        until = time.monotonic() + timeout
        while True:
            told = self.next(max(until - time.monotonic(), 0.01))
            if isinstance(told, tuple):
                if kind == "picture":
                    return told
            elif told["kind"] == kind and all(told.get(key) == value for key, value in wanted.items()):
                return told

    def enter(self, **hello):
        """Say hello and be welcome."""
        self.say("hello", **hello)
        return self.until("welcome")

    def quiet(self, seconds=0.3):
        """What comes within so long."""
        told, until = [], time.monotonic() + seconds
        with suppress(TimeoutError):
            while (left := until - time.monotonic()) > 0:
                told.append(self.next(left))
        return told

    def close(self):
        self.socket.close()


class Served:
    """A page at a port of its own, in a thread."""

    def __init__(self, settings, users=None, front=False):
        self.app = create(settings, users or {}, front=front)
        self._listening = listen(settings.view)
        self._server = server(settings, self.app, self._listening)
        self.port = self._listening.getsockname()[1]
        scheme = "https" if settings.view.certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=asyncio.run, args=(self._server.serve([self._listening]),))
        self._thread.start()
        wait_for(lambda: self._server.started or not self._thread.is_alive())

    def close(self):
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def wait_for(happened, timeout=PATIENCE_S):
    """Until `happened` says something true, which comes back."""
    until = time.monotonic() + timeout
    while not (found := happened()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
    return found


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Everything temporary goes here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
    return folder


@pytest.fixture
def all_problems_told(monkeypatch):
    """None is left out because another of its kind was told a moment ago."""
    monkeypatch.setattr(problems, "AGAIN_S", 0.0)


@pytest.fixture
def texts_at_any_rate(monkeypatch):
    """None comes too fast."""
    monkeypatch.setattr(visitor, "TEXTS_HZ", 100_000.0)


@pytest.fixture
def begin_again(make):
    """Start another recogniser at the ports of one that was closed."""
    begun = []

    def begin(before):
        begun.append(Recogniser(before.publish, make))

    yield begin
    for scripted in begun:
        scripted.close()


def warm_up(page, recogniser):
    """Until the page and the recogniser hear each other: the first message over a new connection may be lost."""
    visitor = Browser(page.url)
    visitor.enter()
    while not any(told["kind"] == "state" for told in visitor.quiet(0.05)):
        visitor.send(0, b"\xff\xd8")
    visitor.say("leave")
    wait_for(lambda: recogniser.of(AskLeave))
    visitor.close()
    recogniser.pictures.clear()
    recogniser.asked.clear()


@pytest.fixture
def eventually():
    return wait_for


@pytest.fixture
def settings():
    """The configuration with keys changed as `section.key=value`, at free ports."""

    def changed(*overrides):
        free = [f"publish.{name}_port=0" for name in ("state", "events", "replay", "frames")]
        return config.load(overrides=[*free, "view.port=0", *overrides])

    return changed


@pytest.fixture
def recogniser(settings, make):
    with closing(Recogniser(settings().publish, make)) as scripted:
        yield scripted


@pytest.fixture
def serve(recogniser, settings):
    """Open a page before the recogniser."""
    opened = []

    def open_page(*overrides, users=None, front=False):
        changed = msgspec.structs.replace(settings(*overrides), publish=recogniser.publish)
        opened.append(Served(changed, users, front))
        if not users:
            warm_up(opened[-1], recogniser)
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()


@pytest.fixture
def browse():
    """Open a WebSocket as a browser does."""
    opened = []

    def open_browser(page, **options):
        opened.append(Browser(page.url, **options))
        return opened[-1]

    yield open_browser
    for browser in opened:
        browser.close()


@contextmanager
def closing(thing):
    try:
        yield thing
    finally:
        thing.close()
