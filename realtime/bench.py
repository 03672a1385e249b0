"""How fast Glimpse is on this machine: a file as fast as possible, then in real time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from realtime.config import Config
from realtime.pipeline import Pipeline, engines
from realtime.publish import Publisher
from realtime.records import Frame
from realtime.source import Source, open_source
from realtime.summary import Summary, rss_mb


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs; memory at the first tenth and at the end, to see whether it grows."""

    fast: Summary
    realtime: Summary
    rss_early_mb: float
    rss_late_mb: float


class Looped:
    """A file from its beginning again and again, its clock running on, for `seconds` of the machine's time."""

    def __init__(self, spec: str, config: Config, seconds: float, *, fast: bool) -> None:
        self._spec, self._config, self._seconds, self._fast = spec, config, seconds, fast
        self._source: Source = open_source(spec, config.source, fast=fast)
        self.rate_hz = self._source.rate_hz
        self.rss_early_mb = 0.0

    def frames(self) -> Iterator[Frame]:
        """Frames whose times and numbers go on over the loops."""
        began, t, index = time.monotonic(), 0.0, 0
        while True:
            shift_t, shift_index = t, index
            for frame in self._source.frames():
                elapsed = time.monotonic() - began
                if elapsed > self._seconds:
                    return
                if elapsed > 0.1 * self._seconds and not self.rss_early_mb:
                    self.rss_early_mb = rss_mb()
                t, index = shift_t + frame.t + 1.0 / self.rate_hz, shift_index + frame.index + 1
                yield replace(frame, t=shift_t + frame.t, index=shift_index + frame.index)
            self._source.close()
            self._source = open_source(self._spec, self._config.source, fast=self._fast)

    def close(self) -> None:
        """Close the file."""
        self._source.close()


def bench(config: Config, spec: str, seconds: float) -> Bench:
    """Half of `seconds` as fast as possible, half in real time; everything on, the encoder on every frame."""
    pair = engines(config)
    summaries, early = [], 0.0
    for fast in (True, False):
        publisher = Publisher(config.publish)
        try:
            source = Looped(spec, config, seconds / 2, fast=fast)
            summaries.append(Pipeline(config, source, publisher, pair).run())
        finally:
            publisher.close()
        early = early or source.rss_early_mb
    return Bench(fast=summaries[0], realtime=summaries[1], rss_early_mb=early, rss_late_mb=rss_mb())
