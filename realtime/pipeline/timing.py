"""How long things take, how much of that this thread computes, and the percentiles of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

KEPT = 8192  # newest durations of each name: minutes of play, and a memory that does not grow


class Took(NamedTuple):
    """A piece of work, in seconds."""

    wall: float
    cpu: float  #: of the thread that did it; where a library computes in threads of its own, that is waiting


class Stopwatch:
    """Laps of one thread: `lap` says what was used since the last one, or since the beginning."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def lap(self) -> Took:
        wall, cpu = time.perf_counter(), time.thread_time()
        took = Took(wall - self._wall, cpu - self._cpu)
        self._wall, self._cpu = wall, cpu
        return took


class Durations:
    """The newest durations in a ring, and the sums of all."""

    def __init__(self) -> None:
        self.count, self.wall, self.cpu = 0, 0.0, 0.0
        self._ring = np.zeros(KEPT, np.float32)

    def add(self, took: Took) -> None:
        self._ring[self.count % KEPT] = took.wall
        self.count, self.wall, self.cpu = self.count + 1, self.wall + took.wall, self.cpu + took.cpu

    def percentiles_ms(self) -> dict[str, float]:
        found = np.percentile(self._ring[: min(self.count, KEPT)], (50, 95, 99)) if self.count else (0.0, 0.0, 0.0)
        return {f"p{q}": round(float(value) * 1e3, 3) for q, value in zip((50, 95, 99), found, strict=True)}


class Timings:
    """Durations by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Durations] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add how long the block took."""
        watch = Stopwatch()
        yield
        self.add(name, watch.lap())

    def add(self, name: str, took: Took) -> None:
        """Add one duration."""
        if name not in self._kept:
            self._kept[name] = Durations()
        self._kept[name].add(took)

    def percentiles_ms(self, name: str) -> dict[str, float]:
        """p50, p95 and p99 in milliseconds of wall time; zeros when nothing was measured."""
        return self._kept.get(name, Durations()).percentiles_ms()

    def sums(self, name: str) -> Took:
        """All that `name` took."""
        found = self._kept.get(name, Durations())
        return Took(found.wall, found.cpu)

    def names(self) -> list[str]:
        """What has been measured, in the order of first use."""
        return list(self._kept)
