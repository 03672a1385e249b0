"""The sample stream as another program hears it, and what its first pass was worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from realtime.config import PublishConfig
from realtime.demo import truth
from realtime.demo.truth import Agreement
from realtime.errors import PublishError
from realtime.pipeline.people import Presence
from realtime.pipeline.summary import RunCounter, Summary, remarks, table
from realtime.publish import Received, Subscriber
from realtime.schema.message import Event, Meta, State

CAMERA = "sample"
#: A cold start of the recogniser on a slow disk.
READY_S = 60.0
#: After the last frame of the pass: an event may end only now.
LAST_S = 0.5
POLL_S = 0.1
#: Latency while nothing has been told.
NONE = {"p50": 0.0, "p95": 0.0, "p99": 0.0}


class FirstPass(msgspec.Struct, frozen=True):
    """What the first pass was, as it was heard."""

    summary: Summary
    truth: Agreement

    def lines(self) -> list[str]:
        """The table under the events, and what is to be known below it."""
        return [*table(self.summary, "sample stream"), *_agreement(self.truth), *remarks(self.summary)]

    def to_dict(self) -> dict[str, Any]:
        """`demo --json`: the summary, with `truth` beside its keys."""
        return {**msgspec.to_builtins(self.summary), "truth": msgspec.to_builtins(self.truth)}


class Demo:
    """Hears a Glimpse that plays the sample again and again; `heard` is called with each event.

    `memory_mb` is asked for what the recogniser takes, and `going` whether to go on.
    """

    def __init__(
        self,
        publish: PublishConfig,
        heard: Callable[[Event], None],
        memory_mb: Callable[[], float],
        going: Callable[[], bool],
    ) -> None:
        self._heard, self._memory_mb, self._going = heard, memory_mb, going
        self._subscriber = Subscriber(publish, states="all", events=True, since=0)
        self._counts = RunCounter()
        self._present: dict[int, Presence] = {}
        self._events: list[Event] = []
        self._meta: Meta | None = None
        self._t = -1.0  # of the newest state

    def first(self, seconds: float | None = None) -> FirstPass:
        """Listen to one pass over the sample, or to its first `seconds`."""
        played = truth.load()
        until = min(seconds or played.seconds, played.seconds)
        began = time.monotonic()
        while self._going() and self._t < until + LAST_S:
            if self._t < 0.0 and time.monotonic() - began > READY_S:
                raise PublishError(f"nothing was heard for {READY_S:.0f} s; look at the log above, or try again")
            self._hear(self._subscriber.receive(POLL_S), until)
        return FirstPass(
            self._summary(), truth.score(played, self._events, self._labels, min(until, max(self._t, 0.0)))
        )

    def go_on(self) -> None:
        """Listen for as long as it goes."""
        while self._going():
            self._hear(self._subscriber.receive(POLL_S), until=0.0)

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        self._subscriber.close()

    def _hear(self, received: Received | None, until: float) -> None:
        message = received.message if received is not None else None
        match message:
            case Event() if message.camera == CAMERA:
                self._heard(message)
                if message.onset_s <= until:
                    self._events.append(message)
                    self._counts.event(message)
            case State() if message.camera == CAMERA:
                self._t = message.t
                if message.t <= until:
                    self._count(message)
            case Meta() if message.camera == CAMERA:
                self._meta = message

    def _count(self, state: State) -> None:
        self._counts.frame(state.t, state.gap)
        for face in state.faces:
            if face.id not in self._present:
                self._present[face.id] = Presence(face.id, state.t, state.t)
                self._counts.face(self._present[face.id])
            self._present[face.id].last_s = state.t

    @property
    def _labels(self) -> tuple[str, ...]:
        return self._meta.engines[-1].labels if self._meta else ()

    def _summary(self) -> Summary:
        """What was heard, with the latencies that the recogniser tells, and what it has no time for."""
        latencies = msgspec.to_builtins(self._meta.latency_ms) if self._meta else {}
        return msgspec.structs.replace(
            self._counts.summary(),
            latency_ms=latencies.pop("total", NONE),
            stages_ms=latencies,
            rss_mb=self._memory_mb(),
            left_out=self._meta.left_out if self._meta else "",
        )


def _agreement(score: Agreement) -> list[str]:
    error = "-" if score.apex_error_ms_median is None else f"{score.apex_error_ms_median:.0f} ms"
    found = f"{score.found} of {score.micro} found, {score.false} false, apex error median {error}"
    classes = "this engine tells others than the scripted ones"
    if score.labelled is not None:
        classes = f"{score.labelled} of {score.found} as scripted"
    return [f"micro-expressions  {found}", f"their classes      {classes}"]
