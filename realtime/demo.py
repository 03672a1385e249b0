"""The sample stream in real time, heard by a subscriber in a process of its own."""

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
from realtime.message import Event
from realtime.pipeline import Pipeline, engines
from realtime.publish import Publisher
from realtime.source import open_source
from realtime.summary import Summary, lines

READY_S = 20.0  # a cold start of the subscriber's Python on a slow disk
POLL_S = 0.05
READY_LINE = "listening"


class Listener:
    """`python -m realtime listen --events --json` as a second program: its lines become events here."""

    def __init__(self, publisher: Publisher, heard: Callable[[Event], None]) -> None:
        command = [sys.executable, "-m", "realtime", "listen", "--events", "--json"]
        command += ["--state-port", str(publisher.state_port), "--events-port", str(publisher.events_port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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


def run(config: Config, heard: Callable[[Event], None], seconds: float | None = None) -> tuple[Summary, truth.Score]:
    """Play the sample, `heard` called with each event that the subscriber receives; the score is of what it heard."""
    received: list[Event] = []

    def take(event: Event) -> None:
        received.append(event)
        heard(event)

    publisher = Publisher(config.publish)
    pipeline = Pipeline(config, open_source(str(truth.VIDEO), config.source, fast=False), publisher, engines(config))
    listener = Listener(publisher, take)
    try:
        _await(listener, publisher)
        summary = pipeline.run(seconds)
    finally:
        publisher.close()
        listener.close()
    return summary, truth.score(truth.load(), received, seconds)


def _await(listener: Listener, publisher: Publisher) -> None:
    """Answer the subscriber until it knows that it is heard; PublishError if that takes too long."""
    until = time.monotonic() + READY_S
    while not listener.ready:
        publisher.greet(POLL_S)
        if time.monotonic() > until:
            raise PublishError(f"the subscriber was not ready after {READY_S:.0f} s; try again on a less busy machine")


def closing(summary: Summary, score: truth.Score) -> list[str]:
    """The table under the events."""
    error = "-" if score.apex_error_ms_median is None else f"{score.apex_error_ms_median:.0f} ms"
    found = f"{score.found} of {score.micro} found, {score.false} false, apex error median {error}"
    return [
        *lines(summary, "sample stream"),
        f"micro-expressions  {found}",
        f"their classes      {score.labelled} of {score.found} as scripted",
    ]


def as_json(summary: Summary, score: truth.Score) -> dict[str, Any]:
    """`demo --json`: the summary, and `truth`."""
    return {**msgspec.to_builtins(summary), "truth": msgspec.to_builtins(score)}
