"""Measures what the wire promises.

Other programs are other processes here. A state or an event carries as its time the instant at which it was sent, on
the monotonic clock that all processes of a machine share: so its age can be told where it is read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from statistics import median

import msgspec

from realtime.bench.strain import beside, crowd, end, garbage, hang, hear, read_slowly, restart
from realtime.bench.wire_results import Ages, Hearer, Latency, Load, Soak, Wire, spread
from realtime.capture.source import open_source
from realtime.config import Config, PublishConfig
from realtime.demo import truth
from realtime.engine.engine import Engine
from realtime.errors import PublishError
from realtime.labels import VOCABULARIES
from realtime.pipeline.pipeline import Pipeline
from realtime.pipeline.summary import rss_mb
from realtime.publish import Answers, Inbox, Publisher
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from realtime.schema.message import Answer, Ask, Event, FaceQuality, FaceState, HeadPose, Refused, State

RATES_HZ = (60.0, 333.0)
CROWD = 50
ROUNDS = 3  # of the pipeline without and with the crowd, in turn
ALONE_HZ, ALONE_S = 200.0, 5.0  # of a publisher that does nothing else
STATES_PER_EVENT = 3
READY_S = 60.0  # a process of its own begins with a cold start of Python


def bench_wire(config: Config, seconds: float) -> Wire:
    """Everything, with `seconds` for the soak; the rest takes two minutes more."""
    publish = config.publish
    return Wire(
        ages=tuple(ages(publish, rate_hz) for rate_hz in RATES_HZ),
        loads=loads(config),
        latency=latency(publish),
        soak=soak(publish, seconds),
    )


def ages(publish: PublishConfig, rate_hz: float, seconds: float = 5.0) -> Ages:
    """What a slow reader sees of `rate_hz` states a second."""
    with _opened(publish) as wire, beside(read_slowly, wire.at) as reader:
        _await(reader, wire.publisher)
        for _ in _paced(rate_hz, seconds):
            wire.publisher.state(_state())
        found = end(reader)
    return Ages(rate_hz=rate_hz, read=len(found), age_ms=spread(found))


def loads(config: Config, rounds: int = ROUNDS, seconds: float | None = None, size: int = CROWD) -> tuple[Load, Load]:
    """The pipeline over the sample, or its first `seconds`, without and with a crowd of `size`, in turn."""
    pair = engines(config)
    runs: dict[int, list[tuple[float, float, float]]] = {0: [], size: []}
    for _ in range(rounds):
        for subscribers, found in runs.items():
            found.append((*_play(config, pair, subscribers, seconds), _send_us(config.publish, subscribers, seconds)))
    without, beside_them = (_load(subscribers, found) for subscribers, found in runs.items())
    return without, beside_them


def latency(publish: PublishConfig, seconds: float = 10.0) -> Latency:
    """One reader of events, which are sent among states."""
    with _opened(publish) as wire, beside(hear, wire.at) as hearer:
        _await(hearer, wire.publisher)
        _send_both(wire.publisher, seconds)
        heard = end(hearer, wire.publisher.last_event)
    return Latency(events=len(heard), latency_ms=spread([late for _, late in heard]))


def soak(publish: PublishConfig, seconds: float) -> Soak:
    """A whole wire, with all its sockets, under those who misuse it, and two who do not."""
    with _quiet(), _opened(publish) as wire, ExitStack() as programs:
        hearers = [programs.enter_context(beside(hear, wire.at)) for _ in range(2)]
        misusers = [programs.enter_context(beside(program, wire.at)) for program in (hang, restart, garbage)]
        for pipe in (*hearers, *misusers):
            _await(pipe, wire.publisher)
        before, early = wire.publisher.last_event, rss_mb()
        send_ms = _send_both(wire.publisher, seconds)
        last = wire.publisher.last_event
        heard = [end(pipe, last) for pipe in hearers]
        _, restarts, pieces = (end(pipe) for pipe in misusers)
        return Soak(
            seconds=seconds,
            events=last - before,
            hearers=tuple(_hearer(each, last) for each in heard),
            restarts=restarts,
            garbage=pieces,
            refused=wire.answers.malformed + wire.inbox.malformed,
            send_ms=send_ms,
            rss_early_mb=early,
            rss_late_mb=rss_mb(),
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    """All sockets of a Glimpse that watches nothing, and where they are."""

    publisher: Publisher
    answers: Answers
    inbox: Inbox
    at: PublishConfig


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a word about each kind of garbage."""
    log = logging.getLogger("realtime.publish")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


class _Nobody:
    """A desk that knows nothing."""

    def answer(self, question: Ask) -> Answer:
        return Refused(why="nothing is watched here")


@contextmanager
def _opened(publish: PublishConfig) -> Iterator[_Opened]:
    """At free ports of this machine, beside a Glimpse that may be at work."""
    free = dict.fromkeys(("state_port", "events_port", "replay_port", "frames_port"), 0)
    alone = msgspec.structs.replace(publish, host="127.0.0.1", keys="", rate_hz=0.0, **free)
    with (
        Publisher(alone) as publisher,
        Answers(alone, publisher, _Nobody()) as answers,
        Inbox(alone, lambda _: None) as inbox,
    ):
        ports = (publisher.state_port, publisher.events_port, answers.port, inbox.port)
        at = msgspec.structs.replace(alone, **dict(zip(free, ports, strict=True)))
        yield _Opened(publisher, answers, inbox, at)


def _await(pipe: Connection, publisher: Publisher) -> None:
    """Send states until the program at `pipe` is at work, which may take one of them."""
    for _ in _paced(100.0, READY_S):
        publisher.state(_state())
        if pipe.poll():
            try:
                pipe.recv()
            except EOFError:
                raise PublishError("a program of the benchmark ended before it was at work; why stands above") from None
            return
    raise PublishError(f"a reader was not ready after {READY_S:.0f} s; try again on a less busy machine")


def _paced(rate_hz: float, seconds: float) -> Iterator[int]:
    """Numbers, at that rate; late ones follow at once."""
    began = time.monotonic()
    for number in range(round(rate_hz * seconds)):
        time.sleep(max(0.0, began + number / rate_hz - time.monotonic()))
        yield number


def _send_both(publisher: Publisher, seconds: float) -> float:
    """States and events at their usual pace, or a little more; the longest that one took to send, in ms."""
    longest = 0.0
    for number in _paced(RATES_HZ[0], seconds):
        began = time.monotonic()
        publisher.state(_state())
        if number % STATES_PER_EVENT == 0:
            publisher.event(_event())
        longest = max(longest, time.monotonic() - began)
    return round(longest * 1e3, 3)


@contextmanager
def _crowded(publish: PublishConfig, size: int) -> Iterator[Publisher]:
    with _opened(publish) as wire, ExitStack() as programs:
        if size:
            _await(programs.enter_context(beside(crowd, wire.at, size)), wire.publisher)
        yield wire.publisher


def _play(config: Config, pair: tuple[Engine, Judges], size: int, seconds: float | None) -> tuple[float, float]:
    """Frames a second of the pipeline over the sample, as fast as possible, and its CPU milliseconds for each."""
    source = open_source(str(truth.VIDEO), config.source, fast=True)
    with _crowded(config.publish, size) as publisher:
        began = time.process_time()
        summary = Pipeline(config, source, publisher, pair).run(seconds)
        return summary.fps, (time.process_time() - began) * 1e3 / summary.frames


def _send_us(publish: PublishConfig, size: int, seconds: float | None) -> float:
    """CPU microseconds of a publisher alone for each state, its pauses included."""
    with _crowded(publish, size) as publisher:
        began, sent = time.process_time(), 0
        for _ in _paced(ALONE_HZ, seconds or ALONE_S):
            publisher.state(_state())
            sent += 1
        return (time.process_time() - began) * 1e6 / sent


def _load(subscribers: int, runs: Sequence[tuple[float, float, float]]) -> Load:
    fps, cpu_ms, send_us = (round(median(column), 3) for column in zip(*runs, strict=True))
    return Load(subscribers=subscribers, fps=fps, cpu_ms=cpu_ms, send_us=send_us)


def _hearer(heard: Sequence[tuple[int, float]], last: int) -> Hearer:
    numbers = [number for number, _ in heard]
    return Hearer(
        lost=len(set(range(1, last + 1)) - set(numbers)),
        disordered=sum(after <= before for before, after in pairwise(numbers)),
        latency_ms=spread([late for _, late in heard]),
    )


def _state() -> State:
    """One face, as the sample gives it, sent now."""
    face = FaceState(
        id=1,
        box=(200.0, 100.0, 160.0, 200.0),
        landmarks=None,
        pose=HeadPose(yaw=1.5, pitch=-2.5, roll=0.5),
        quality=FaceQuality(size_px=90.0, sharpness=120.0, brightness=128.0, reasons=()),
        score=1.25,
        threshold=4.5,
        expression=dict.fromkeys(VOCABULARIES["ferplus-8"], 0.125),
    )
    return State(t=time.monotonic(), camera="bench", frame=0, gap=0, latency_ms=8.0, faces=(face,))


def _event() -> Event:
    now = time.monotonic()
    return Event(
        t=now,
        camera="bench",
        id=1,
        face=1,
        kind="micro",
        stage="final",
        onset_s=now - 0.3,
        apex_s=now - 0.2,
        offset_s=now - 0.1,
        emitted_s=now,
        label="surprise",
        confidence=0.8,
        probabilities={"cmn": {"negative": 0.1, "positive": 0.1, "surprise": 0.8}},
        quality=(),
        rate_hz=60.0,
        reason="",
    )
