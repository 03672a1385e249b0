"""Scores -> events: the machine that tells when one begins, peaks and ends, and what it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from realtime.config import ApexConfig
from realtime.motion import MOUTH_ROWS
from realtime.records import Apex, Crop, Kind, Moment, Motion, Offset, Onset

BACK_S = 1.0  # how far back an onset is looked for
REST = 0.1  # share of the threshold below which a face is at rest
PEAK_SHARE = 0.9  # the apex is the middle of what lies above this share of the peak
SURE_FRAMES = 2  # one frame over the threshold may be noise
SETTLE_S = 1.0  # a face that has not come back to rest so long after an event rests elsewhere


@dataclass(frozen=True, slots=True)
class _Look:
    """One frame, as the machine sees it."""

    t: float
    score: float
    motion: Motion
    turn: float  #: of the head from the reference, degrees


@dataclass(slots=True)
class _Event:
    """An event that is open, with every frame since its onset."""

    id: int
    face: int
    looks: list[_Look]
    peak: _Look  #: the one with the highest score so far
    told: bool = False  #: the apex has been announced

    def add(self, look: _Look) -> None:
        self.looks.append(look)
        if look.score > self.peak.score:
            self.peak = look

    @property
    def onset(self) -> float:
        return self.looks[0].t

    @property
    def end(self) -> float:
        return self.looks[-1].t

    @property
    def elapsed(self) -> float:
        return self.end - self.onset


class Machine:
    """At rest -> open -> apex told -> settling -> at rest; `push(crop, motion, score, turn) -> [Moment]`."""

    def __init__(self, config: ApexConfig, ids: Iterator[int]) -> None:
        self._config = config
        self._ids = ids
        self._past: deque[_Look] = deque()
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
        self._past.append(_Look(crop.t, score, motion, turn))
        while crop.t - self._past[0].t > BACK_S:
            self._past.popleft()
        if self._settle_until is not None:
            return self._settle(crop.t, score)
        if self._event is None:
            return self._begin(crop.face)
        event = self._event
        event.add(self._past[-1])
        moments: list[Moment] = []
        if not event.told and self._peaked(event):
            event.told = True
            moments.append(Apex(event.id, event.face, event.onset, _apex(event), self._kind(event), event.peak.score))
        if self._over(event):
            moments.append(self._end(event))
        return moments

    def restart(self) -> list[Moment]:
        """What was seen no longer counts: an open event ends as in `flush`, and nothing is waited for."""
        self._past.clear()
        self._settle_until = None
        return self.flush()

    def flush(self) -> list[Moment]:
        """End an open event where it is: long enough it was a macro-expression, else nobody knows."""
        if self._event is None:
            return []
        event, self._event = self._event, None
        doubt = self._doubt(event) or ("" if self._kind(event) == "macro" else "lost")
        return [self._offset(event, None if doubt else "macro", doubt)]

    def _begin(self, face: int) -> list[Moment]:
        looks = list(self._past)
        if len(looks) < SURE_FRAMES or min(look.score for look in looks[-SURE_FRAMES:]) < self._config.threshold:
            return []
        since = looks[self._rise(looks) :]
        self._event = event = _Event(next(self._ids), face, since, max(since, key=lambda look: look.score))
        return [Onset(event.id, event.face, event.onset)]

    def _settle(self, t: float, score: float) -> list[Moment]:
        """Wait for rest, so that the tail of one event is not the head of the next."""
        if self._settle_until is not None and (score < self._release or t > self._settle_until):
            self._settle_until = None
        self._past.clear()
        return []

    def _rise(self, looks: list[_Look]) -> int:
        """Index where the present rise began: the last minimum before it, or where it left rest."""
        index = len(looks) - 1
        while index > 0 and (
            looks[index - 1].score < looks[index].score or looks[index].score > self._config.threshold
        ):
            index -= 1
            if looks[index].score < REST * self._config.threshold:
                break
        return index

    def _peaked(self, event: _Event) -> bool:
        if event.looks[-1].score < (1.0 - self._config.fall) * event.peak.score:
            return True
        return event.elapsed > self._config.micro_max_s  # held: a macro-expression, whenever it falls

    def _over(self, event: _Event) -> bool:
        level = self._release
        if event.elapsed > self._config.micro_max_s:
            level = max(level, self._config.release_peak * event.peak.score)
        return event.looks[-1].score < level or event.elapsed > self._config.macro_max_s

    @property
    def _release(self) -> float:
        return self._config.release * self._config.threshold

    def _end(self, event: _Event) -> Offset:
        self._event, self._settle_until = None, event.end + SETTLE_S
        doubt = self._doubt(event)
        if _is_mouth(event):
            self._mouth_until = event.end
        if doubt:
            return self._offset(event, None, doubt)
        return self._offset(event, self._kind(event), "held" if event.elapsed > self._config.macro_max_s else "")

    def _doubt(self, event: _Event) -> str:
        """Why this is no expression, or ""."""
        peak = event.peak
        if peak.motion.eyes > self._config.blink_ratio * float(peak.motion.regions.max()):
            return "blink"
        limit = self._config.turn_deg if self._kind(event) == "micro" else self._config.turn_macro_deg
        if any(look.turn > limit for look in event.looks if look.t <= peak.t):
            return "head"
        if _is_mouth(event) and self._speaks(event):
            return "speech"
        return "short" if event.elapsed < self._config.micro_min_s else ""

    def _speaks(self, event: _Event) -> bool:
        return event.onset - self._mouth_until < self._config.speech_gap_s or _peaks(event) >= self._config.speech_peaks

    def _kind(self, event: _Event) -> Kind:
        return "micro" if event.elapsed <= self._config.micro_max_s else "macro"

    @staticmethod
    def _offset(event: _Event, kind: Kind | None, reason: str) -> Offset:
        return Offset(event.id, event.face, event.onset, _apex(event), event.end, kind, event.peak.score, reason)


def _apex(event: _Event) -> float:
    """The middle of the frames around the peak, weighted by how far they rise: steadier than the largest frame."""
    scores = np.array([look.score for look in event.looks])
    low = high = int(scores.argmax())
    floor = PEAK_SHARE * scores[low]
    while low > 0 and scores[low - 1] > floor:
        low -= 1
    while high < len(scores) - 1 and scores[high + 1] > floor:
        high += 1
    weights = scores[low : high + 1] - floor + 1e-6
    return float(np.average([look.t for look in event.looks[low : high + 1]], weights=weights))


def _is_mouth(event: _Event) -> bool:
    """Whether the two regions that moved most at the peak are of the mouth."""
    return {int(row) for row in np.argsort(event.peak.motion.regions)[-2:]} <= set(MOUTH_ROWS)


def _peaks(event: _Event) -> int:
    """How often the score turned down by a fifth of the event's peak after having risen by as much."""
    step, peaks, rising, extreme = 0.2 * event.peak.score, 0, True, event.looks[0].score
    for look in event.looks:
        extreme = max(extreme, look.score) if rising else min(extreme, look.score)
        if rising and look.score < extreme - step:
            rising, extreme, peaks = False, look.score, peaks + 1
        elif not rising and look.score > extreme + step:
            rising, extreme = True, look.score
    return peaks
