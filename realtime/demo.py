"""The sample stream, or a camera, in real time, heard by a subscriber in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from realtime import truth
from realtime.config import Config
from realtime.errors import PublishError
from realtime.heads import engines
from realtime.message import Event
from realtime.pipeline import Pipeline
from realtime.publish import Publisher
from realtime.source import open_source
from realtime.summary import Summary, lines
from realtime.truth import Score

READY_S = 20.0  # a cold start of the subscriber's Python on a slow disk
LAST_S = 2.0
POLL_S = 0.05
READY_LINE = "listening"
#: The sample is heard by its own subscriber only: it must run beside a Glimpse that is at work.
FREE_PORTS = ("publish.state_port=0", "publish.events_port=0", "publish.camera=sample")


class Listener:
    """`python -m realtime listen --events --json` as a second program: its lines become events here."""

    def __init__(self, publisher: Publisher, heard: Callable[[Event], None]) -> None:
        command = [sys.executable, "-m", "realtime", "listen", "--events", "--json"]
        command += ["--state-port", str(publisher.state_port), "--events-port", str(publisher.events_port)]
        pipe = subprocess.PIPE
        # In a session of its own, so that Ctrl-C reaches only this process, which then ends the other.
        self._process = subprocess.Popen(command, text=True, start_new_session=True, stdout=pipe, stderr=pipe)
        self._heard = heard
        self._ready = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._wait)]
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether it is subscribed; what is published before that does not reach it."""
        return self._ready.is_set()

    def close(self) -> None:
        """Let it hear what is on its way, then end it."""
        self._process.terminate()
        for thread in self._threads:
            thread.join(timeout=5.0)
        self._process.wait(timeout=5.0)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard(msgspec.json.decode(line, type=Event))

    def _wait(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if READY_LINE in line:
                self._ready.set()


class Played(msgspec.Struct, frozen=True):
    """What a demo was; `truth` scores what the subscriber heard, and is there for the sample alone."""

    summary: Summary
    truth: Score | None

    def lines(self, title: str) -> list[str]:
        """The table under the events."""
        return [*lines(self.summary, title), *(_agreement(self.truth) if self.truth else ())]

    def to_dict(self) -> dict[str, Any]:
        """`demo --json`: the summary, with `truth` beside its keys."""
        return {**msgspec.to_builtins(self.summary), "truth": msgspec.to_builtins(self.truth)}


class Demo:
    """Plays `spec`, the sample by default; `heard` is called with each event that the subscriber receives."""

    def __init__(self, config: Config, heard: Callable[[Event], None], spec: str = str(truth.VIDEO)) -> None:
        self._scored = spec == str(truth.VIDEO)
        self._heard = heard
        self._received: list[Event] = []
        pair = engines(config)
        self._labels = pair[1].manifest.labels
        source = open_source(spec, config.source, fast=False)
        self._publisher = Publisher(config.publish)  # last, so that nothing that fails before leaves a port open
        self.pipeline = Pipeline(config, source, self._publisher, pair)

    def run(self, seconds: float | None = None) -> Played:
        """Play until the end, for `seconds`, or until `pipeline.stop()`."""
        listener = Listener(self._publisher, self._take)
        try:
            _await(listener, self._publisher)
            summary = self.pipeline.run(seconds)
            self._await_last()
        finally:
            self._publisher.close()
            listener.close()
        if not self._scored:
            return Played(summary, None)
        return Played(summary, truth.score(truth.load(), self._received, self._labels, seconds))

    def _await_last(self) -> None:
        """Give the last events the time to be heard."""
        until = time.monotonic() + LAST_S
        while len(self._received) < self._publisher.last_event and time.monotonic() < until:
            time.sleep(POLL_S)

    def _take(self, event: Event) -> None:
        self._received.append(event)
        self._heard(event)


def _await(listener: Listener, publisher: Publisher) -> None:
    """Answer the subscriber until it knows that it is heard; PublishError if that takes too long."""
    until = time.monotonic() + READY_S
    while not listener.ready:
        publisher.greet()
        time.sleep(POLL_S)
        if time.monotonic() > until:
            raise PublishError(f"the subscriber was not ready after {READY_S:.0f} s; try again on a less busy machine")


def _agreement(score: Score) -> list[str]:
    error = "-" if score.apex_error_ms_median is None else f"{score.apex_error_ms_median:.0f} ms"
    found = f"{score.found} of {score.micro} found, {score.false} false, apex error median {error}"
    classes = "this engine tells others than the scripted ones"
    if score.labelled is not None:
        classes = f"{score.labelled} of {score.found} as scripted"
    return [f"micro-expressions  {found}", f"their classes      {classes}"]
