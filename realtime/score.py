"""Motion -> how far the face is from rest, in robust standard deviations; causal."""

from __future__ import annotations

from collections import deque

import numpy as np

from realtime.config import ApexConfig
from realtime.records import Floats, Motion

SAMPLES_HZ = 20.0  # rest changes slowly: more samples cost time and tell nothing
MAD_TO_SIGMA = 1.4826  # of a normal distribution


class Scorer:
    """Scores a face's motion against its own rest; `push(Motion) -> score`.

    Each region's displacement becomes (r - median) / (1.4826 MAD + floor) over the calm past; the score
    is the mean of the largest few, smoothed by a causal low-pass (methods 7.2, step 4).
    """

    def __init__(self, config: ApexConfig) -> None:
        self._config = config
        self._rest: deque[tuple[float, Floats]] = deque()
        self._median: Floats | None = None
        self._spread: Floats | None = None
        self._first: float | None = None
        self._last = 0.0
        self._value = 0.0

    @property
    def ready(self) -> bool:
        """Whether rest has been seen long enough to tell it from an event."""
        return self._first is not None and self._last - self._first >= self._config.warmup_s

    def push(self, motion: Motion) -> float:
        """The score of one frame; 0 while rest is unknown."""
        step, self._last = motion.t - self._last, motion.t
        if self._median is None or self._spread is None:
            return 0.0
        q = (motion.regions - self._median) / self._spread
        raw = float(np.sort(q)[-self._config.top_regions :].mean())
        gain = 1.0 if self._config.smooth_s == 0.0 else 1.0 - float(np.exp(-step / self._config.smooth_s))
        self._value += gain * (raw - self._value)
        return self._value

    def rest(self, motion: Motion) -> None:
        """Take in a frame without an event as a sample of rest."""
        if self._first is None:
            self._first = self._last = motion.t
        if self._rest and motion.t - self._rest[-1][0] < 1.0 / SAMPLES_HZ:
            return
        self._rest.append((motion.t, motion.regions))
        while motion.t - self._rest[0][0] > self._config.history_s:
            self._rest.popleft()
        samples = np.stack([regions for _, regions in self._rest])
        self._median = np.median(samples, axis=0)
        deviation = np.median(np.abs(samples - self._median), axis=0)
        self._spread = MAD_TO_SIGMA * deviation + np.float32(self._config.floor)
