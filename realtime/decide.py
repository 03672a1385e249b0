"""Scores -> events: the machine that tells when one begins, peaks and ends, and what it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from realtime.config import ApexConfig
from realtime.motion import MOUTH_ROWS
from realtime.records import Apex, Crop, Kind, Moment, Motion, Offset, Onset

BACK_S = 1.0  # how far back an onset is looked for
PEAK_SHARE = 0.9  # the apex is the middle of what lies above this share of the peak
SURE_FRAMES = 2  # one frame over the threshold may be noise
SETTLE_S = 1.0  # a face that has not come back to rest so long after an event rests elsewhere


@dataclass(slots=True)
class _Event:
    id: int
    face: int
    onset: float
    times: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    motions: list[Motion] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    told: bool = False  #: the apex has been announced

    @property
    def peak(self) -> float:
        return max(self.scores)


class Machine:
    """At rest -> open -> apex told -> settling -> at rest; `push(crop, motion, score, turn) -> [Moment]`."""

    def __init__(self, config: ApexConfig, ids: Iterator[int]) -> None:
        self._config = config
        self._ids = ids
        self._past: deque[tuple[float, float, Motion, float]] = deque()
        self._event: _Event | None = None
        self._mouth_until = -1e9  # end of the last movement of the mouth
        self._settle_until: float | None = None

    @property
    def onset(self) -> float | None:
        """Onset of the open event in seconds; None when there is none."""
        return self._event.onset if self._event else None

    @property
    def settling(self) -> bool:
        """Whether an event is over but the face not yet back at rest."""
        return self._settle_until is not None

    def push(self, crop: Crop, motion: Motion, score: float, turn: float) -> list[Moment]:
        """Take one frame: `score` in robust standard deviations, `turn` of the head from the reference in degrees."""
        self._past.append((crop.t, score, motion, turn))
        while crop.t - self._past[0][0] > BACK_S:
            self._past.popleft()
        if self._settle_until is not None:
            return self._settle(crop.t, score)
        if self._event is None:
            return self._begin(crop)
        event = self._event
        _extend(event, self._past[-1])
        moments: list[Moment] = []
        if not event.told and self._peaked(event):
            event.told = True
            moments.append(Apex(event.id, event.face, event.onset, _apex(event), self._kind(event), event.peak))
        if self._over(event):
            moments.append(self._end(event))
        return moments

    def flush(self) -> list[Moment]:
        """End an open event where it is: long enough it was a macro-expression, else nobody knows."""
        if self._event is None:
            return []
        event, self._event = self._event, None
        kind: Kind | None = "macro" if self._elapsed(event) > self._config.micro_max_s else None
        reason = self._doubt(event) or ("" if kind else "lost")
        return [self._offset(event, None if self._doubt(event) else kind, reason)]

    def _begin(self, crop: Crop) -> list[Moment]:
        recent = list(self._past)[-SURE_FRAMES:]
        if len(recent) < SURE_FRAMES or min(score for _, score, _, _ in recent) < self._config.threshold:
            return []
        first = self._rise()
        self._event = event = _Event(next(self._ids), crop.face, self._past[first][0])
        for item in list(self._past)[first:]:
            _extend(event, item)
        return [Onset(event.id, event.face, event.onset)]

    def _settle(self, t: float, score: float) -> list[Moment]:
        """Wait for rest, so that the tail of one event is not the head of the next."""
        if self._settle_until is not None and (score < self._release or t > self._settle_until):
            self._settle_until = None
        self._past.clear()
        return []

    def _rise(self) -> int:
        """Index into the past where the present rise began: the last minimum before it, or where it left rest."""
        scores = [score for _, score, _, _ in self._past]
        index = len(scores) - 1
        while index > 0 and (scores[index - 1] < scores[index] or scores[index] > self._config.threshold):
            index -= 1
            if scores[index] < 0.1 * self._config.threshold:
                break
        return index

    def _peaked(self, event: _Event) -> bool:
        if event.scores[-1] < (1.0 - self._config.fall) * event.peak:
            return True
        return self._elapsed(event) > self._config.micro_max_s  # held: a macro-expression, whenever it falls

    def _over(self, event: _Event) -> bool:
        level = self._release
        if self._elapsed(event) > self._config.micro_max_s:
            level = max(level, self._config.release_peak * event.peak)
        return event.scores[-1] < level or self._elapsed(event) > self._config.macro_max_s

    @property
    def _release(self) -> float:
        return self._config.release * self._config.threshold

    def _end(self, event: _Event) -> Offset:
        self._event, self._settle_until = None, event.times[-1] + SETTLE_S
        doubt = self._doubt(event)
        if set(_top_rows(event)) <= set(MOUTH_ROWS):
            self._mouth_until = event.times[-1]
        if doubt:
            return self._offset(event, None, doubt)
        held = self._elapsed(event) > self._config.macro_max_s
        return self._offset(event, self._kind(event), "held" if held else "")

    def _doubt(self, event: _Event) -> str:
        """Why this is no expression, or ""."""
        at = int(np.argmax(event.scores))
        if event.motions[at].eyes > self._config.blink_ratio * float(event.motions[at].regions.max()):
            return "blink"
        limit = self._config.turn_deg if self._kind(event) == "micro" else self._config.turn_macro_deg
        if max(event.turns[: at + 1]) > limit:
            return "head"
        if set(_top_rows(event)) <= set(MOUTH_ROWS) and self._speaks(event):
            return "speech"
        return "short" if self._elapsed(event) < self._config.micro_min_s else ""

    def _speaks(self, event: _Event) -> bool:
        return event.onset - self._mouth_until < self._config.speech_gap_s or _peaks(event) >= self._config.speech_peaks

    def _kind(self, event: _Event) -> Kind:
        return "micro" if self._elapsed(event) <= self._config.micro_max_s else "macro"

    @staticmethod
    def _elapsed(event: _Event) -> float:
        return event.times[-1] - event.onset

    @staticmethod
    def _offset(event: _Event, kind: Kind | None, reason: str) -> Offset:
        return Offset(event.id, event.face, event.onset, _apex(event), event.times[-1], kind, event.peak, reason)


def _extend(event: _Event, item: tuple[float, float, Motion, float]) -> None:
    t, score, motion, turn = item
    event.times.append(t)
    event.scores.append(score)
    event.motions.append(motion)
    event.turns.append(turn)


def _apex(event: _Event) -> float:
    """The middle of the frames around the peak, weighted by how far they rise: steadier than the largest frame."""
    scores = np.asarray(event.scores)
    low = high = int(scores.argmax())
    floor = PEAK_SHARE * scores[low]
    while low > 0 and scores[low - 1] > floor:
        low -= 1
    while high < len(scores) - 1 and scores[high + 1] > floor:
        high += 1
    times, weights = np.asarray(event.times[low : high + 1]), scores[low : high + 1] - floor + 1e-6
    return float((times * weights).sum() / weights.sum())


def _top_rows(event: _Event) -> list[int]:
    """The two regions that moved most at the peak."""
    regions = event.motions[int(np.argmax(event.scores))].regions
    return [int(row) for row in np.argsort(regions)[-2:]]


def _peaks(event: _Event) -> int:
    """How often the score turned down by a fifth of the event's peak after having risen by as much."""
    step, peaks, rising, extreme = 0.2 * event.peak, 0, True, event.scores[0]
    for before, now in pairwise(event.scores):
        extreme = max(extreme, before, now) if rising else min(extreme, before, now)
        if rising and now < extreme - step:
            rising, extreme, peaks = False, now, peaks + 1
        elif not rising and now > extreme + step:
            rising, extreme = True, now
    return peaks
