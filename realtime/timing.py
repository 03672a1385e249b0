"""How long things take: durations by name, and their percentiles."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

KEPT = 20_000  # newest durations of each name: minutes of play, and a memory that does not grow


class Timings:
    """Durations in seconds by name."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT))

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add how long the block took."""
        began = time.perf_counter()
        yield
        self._kept[name].append(time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add one duration."""
        self._kept[name].append(seconds)

    def percentiles_ms(self, name: str) -> dict[str, float]:
        """p50, p95 and p99 in milliseconds; zeros when nothing was measured."""
        values = np.array(self._kept.get(name, (0.0,)))
        return {f"p{q}": round(float(np.percentile(values, q)) * 1e3, 3) for q in (50, 95, 99)}

    def names(self) -> list[str]:
        """What has been measured, in the order of first use."""
        return list(self._kept)
