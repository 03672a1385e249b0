"""How fast Glimpse is on this machine: a file as fast as possible, then in real time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import msgspec

from realtime.config import Config
from realtime.heads import engines
from realtime.pipeline import Pipeline
from realtime.publish import Publisher
from realtime.records import Frame
from realtime.repeat import Repeated
from realtime.source import Source, open_source
from realtime.summary import Summary, rss_mb


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs; memory at the first tenth and at the end, to see whether it grows."""

    fast: Summary
    realtime: Summary
    rss_early_mb: float
    rss_late_mb: float


class Timed:
    """A source for `seconds` of the machine's time, which also looks at the memory after a tenth of them."""

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self.rate_hz = source.rate_hz
        self.rss_early_mb = 0.0

    @property
    def dropped(self) -> int:
        return self._source.dropped

    def frames(self) -> Iterator[Frame]:
        began = time.monotonic()
        for frame in self._source.frames():
            elapsed = time.monotonic() - began
            if elapsed > self._seconds:
                return
            if elapsed > 0.1 * self._seconds and not self.rss_early_mb:
                self.rss_early_mb = rss_mb()
            yield frame

    def close(self) -> None:
        self._source.close()


def bench(config: Config, spec: str, seconds: float) -> Bench:
    """Half of `seconds` as fast as possible, half in real time; everything on, the encoder on every frame."""
    pair = engines(config)
    summaries, early = [], 0.0
    for fast in (True, False):
        with Publisher(config.publish) as publisher:
            source = Timed(Repeated(partial(open_source, spec, config.source, fast=fast)), seconds / 2)
            summaries.append(Pipeline(config, source, publisher, pair).run())
        early = early or source.rss_early_mb
    return Bench(fast=summaries[0], realtime=summaries[1], rss_early_mb=early, rss_late_mb=rss_mb())
