"""How many cameras this machine holds: one more at a time, until the slowest of a hundred frames is late."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import msgspec

from realtime.capture.repeat import Repeated
from realtime.capture.source import Source, open_source
from realtime.config import Config
from realtime.pipeline.pipeline import Pipeline
from realtime.pipeline.prefetch import Prefetch
from realtime.pipeline.summary import RunCounter, rss_mb
from realtime.publish import Outlet, Unheard
from realtime.recognition.heads import Heads
from realtime.records import Frame

CAMERA_HZ = 30.0
LATE_MS = 50.0  # of the slowest frame of a hundred, from its grab to its state
AHEAD_FRAMES = 8
WARM_S = 3.0  # of each number of cameras that does not count: models load, the first faces are found


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """So many cameras at once."""

    streams: int
    fps: float  #: of the slowest of them
    p99_ms: float  #: of the slowest of them
    gaps: int  #: of all
    cpu_share: float  #: of one core, all together
    rss_mb: float
    left_out: str  #: what the computer had no time for, of the first camera that says so

    @property
    def ok(self) -> bool:
        """Whether every frame of 99 in a hundred is told soon, and nothing is left out."""
        return self.p99_ms < LATE_MS and not self.gaps and not self.left_out


class StreamsBench(msgspec.Struct, frozen=True, kw_only=True):
    """Each number of cameras that was tried."""

    held: int  #: the most that were within the bound
    tried: list[Held]


class Paced:
    """`source` as a camera of 30 frames a second gives it, in real time, for `seconds` from its first frame.

    It is read ahead: a camera has no file to be opened again at its end.
    """

    live, dropped = True, 0
    rate_hz = CAMERA_HZ

    def __init__(self, source: Source, seconds: float, phase: float) -> None:
        self._source, self._seconds, self._phase = source, seconds, phase
        self._read = Prefetch(source.frames(), AHEAD_FRAMES, "read")
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        began = time.monotonic() + self._phase / CAMERA_HZ
        for index, frame in enumerate(self._read):
            t = index / CAMERA_HZ
            self._closed.wait(max(began + t - time.monotonic(), 0.0))
            if self._closed.is_set() or t > self._seconds:
                return
            yield replace(frame, t=t, index=index, gap=0, grabbed=began + t)

    def close(self) -> None:
        self._closed.set()
        self._read.stop()
        self._source.close()
        self._read.close()


def bench_streams(config: Config, spec: str, most: int, seconds: float) -> StreamsBench:
    """Play `spec` as 1, 2, ... `most` cameras at once, for `seconds` each, up to the first number that is late."""
    heads, tried = Heads(config), list[Held]()
    for number in range(1, most + 1):
        tried.append(_play(config, heads, spec, number, seconds))
        if not tried[-1].ok:
            break
    return StreamsBench(held=max((each.streams for each in tried if each.ok), default=0), tried=tried)


def lines(found: StreamsBench) -> Iterable[str]:
    """For people."""
    for each in found.tried:
        line = (
            f"{each.streams:>3} cameras of {CAMERA_HZ:.0f} frames/s   p99 {each.p99_ms:.1f} ms"
            f"   {each.fps:.1f} frames/s   gaps {each.gaps}   {each.cpu_share:.2f} cores   {each.rss_mb:.0f} MB"
            f"   {each.left_out}"
        )
        yield line.rstrip()
    yield f"{found.held} cameras of {CAMERA_HZ:.0f} frames a second are held within {LATE_MS:.0f} ms"


def _play(config: Config, heads: Heads, spec: str, number: int, seconds: float) -> Held:
    with ExitStack() as opened:
        outlet = Unheard()
        pool = opened.enter_context(ThreadPoolExecutor(number))
        pipelines = [_pipeline(config, heads, spec, outlet, place, number, seconds) for place in range(number)]
        for pipeline in pipelines:
            opened.callback(pipeline.stop)
        runs = [pool.submit(pipeline.run) for pipeline in pipelines]
        time.sleep(min(WARM_S, 0.5 * seconds))
        for pipeline in pipelines:
            pipeline.counts = RunCounter()
        cpu, wall = time.process_time(), time.monotonic()
        summaries = [run.result() for run in runs]
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
    return Held(
        streams=number,
        fps=min(summary.fps for summary in summaries),
        p99_ms=max(summary.latency_ms["p99"] for summary in summaries),
        gaps=sum(summary.gaps for summary in summaries),
        cpu_share=round(share, 2),
        rss_mb=rss_mb(),
        left_out=next((summary.left_out for summary in summaries if summary.left_out), ""),
    )


def _pipeline(
    config: Config, heads: Heads, spec: str, outlet: Outlet, place: int, number: int, seconds: float
) -> Pipeline:
    publish = msgspec.structs.replace(config.publish, camera=f"camera{place + 1}")
    source = Paced(Repeated(partial(open_source, spec, config.source, fast=True)), seconds, place / number)
    pair = heads.encoder, heads.judges(heads.default)
    return Pipeline(msgspec.structs.replace(config, publish=publish), source, outlet, pair)
