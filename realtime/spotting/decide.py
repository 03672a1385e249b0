"""Spots -> events: when an expression begins, peaks and ends, and whether it is a micro-expression.

An event is open while an expression is likely, and not much less likely than it was: one may follow another before the
face has come to rest. Its apex is the middle of the likeliest moments for one, and is told as soon as they are over:
half of a micro-expression is still to come, and only the scorer can say whether it will be brief. Which kind it was is
a matter of time alone, when it ends: of what looks like a micro-expression there are few on real faces, and they are
as brief as any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from realtime.config import SpotterConfig
from realtime.records import Apex, Kind, Moment, Offset, Onset
from realtime.spotting.scorer import PAUSE_S, Spot

BACK_S = 0.5  # how far back an onset is looked for
PEAK_SHARE = 0.7  # the apex is the middle of what lies above this share of the peak
LEAST, MOST = 1e-6, 1.0 - 1e-6


@dataclass(slots=True)
class _Event:
    """An event that is open, with every spot since its onset."""

    id: int
    spots: list[Spot]
    told: Kind | None = None  #: what its apex has been announced as

    @property
    def onset(self) -> float:
        return self.spots[0].t

    @property
    def elapsed(self) -> float:
        return self.spots[-1].t - self.onset

    @property
    def sure(self) -> float:
        """How likely it was an expression, of any length, where it was likeliest."""
        return max(spot.expression for spot in self.spots)

    @property
    def brief(self) -> float:
        """How likely it seemed to be over soon, where that was likeliest."""
        return max(spot.micro for spot in self.spots)

    @property
    def apex(self) -> float:
        """The mean moment of the spots around the likeliest one, by how likely they are."""
        likely = np.array([spot.apex for spot in self.spots])
        low = high = int(likely.argmax())
        floor = PEAK_SHARE * likely[low]
        while low > 0 and likely[low - 1] > floor:
            low -= 1
        while high < len(likely) - 1 and likely[high + 1] > floor:
            high += 1
        times = [spot.t for spot in self.spots[low : high + 1]]
        middle = np.average(times, weights=likely[low : high + 1] + LEAST)
        return float(np.clip(middle, times[0], times[-1]))  # its last bit must not lie after the offset


class EventDetector:
    """`push(face, spot) -> [Moment]` for one face; events are numbered from `ids`."""

    def __init__(self, config: SpotterConfig, ids: Iterator[int]) -> None:
        self._config = config
        self._ids = ids
        self._face = 0
        self._past: deque[Spot] = deque()
        self._event: _Event | None = None
        self._low: Spot | None = None  #: where it was least likely since an event was closed while there was something

    def push(self, face: int, spot: Spot) -> list[Moment]:
        """The moments that this spot makes sure; after a gap an open event is lost."""
        lost = self.flush() if self._past and spot.t - self._past[-1].t > PAUSE_S else []
        self._face = face
        self._past.append(spot)
        while spot.t - self._past[0].t > BACK_S:
            self._past.popleft()
        if self._event is None:
            return lost + self._begin(spot)
        self._event.spots.append(spot)
        return self._tell(self._event) + self._end(self._event)

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event is decided on what was seen of it.

        That is enough where it was too long for a micro-expression already, or was told as one at its apex.
        """
        event = self._forgotten()
        if event is None:
            return []
        kind = self._kind(event)
        seen = kind if kind == "macro" or event.told == "micro" else None
        return [self._offset(event, seen, "" if seen else "lost")]

    def dismiss(self) -> list[Moment]:
        """The person says that the face is neutral: an open event was none, whatever was seen of it."""
        event = self._forgotten()
        return [] if event is None else [self._offset(event, None, "calibrated")]

    def _forgotten(self) -> _Event | None:
        """The open event, if there is one; nothing of the past is left."""
        event, self._event, self._low = self._event, None, None
        self._past.clear()
        return event

    def awaits(self, t: float) -> bool:
        """Whether an event is open that may yet turn out a micro-expression if it lasts until `t`."""
        return self._event is not None and t - self._event.onset <= self._config.micro_max_s

    def _begin(self, spot: Spot) -> list[Moment]:
        if not self._anew(spot) or spot.expression < self._config.open:
            return []
        likely = takewhile(lambda each: each.expression >= self._config.close, list(self._past)[-2::-1])
        self._event = event = _Event(next(self._ids), [spot, *likely][::-1])
        self._past = deque([spot])
        return [Onset(event.id, self._face, event.onset)]

    def _anew(self, spot: Spot) -> bool:
        """Whether what is there is no rest of the event before: that is over since, or its odds have risen again."""
        if self._low is None or spot.expression < self._config.close:
            self._low = None
            return True
        if spot.expression <= self._low.expression:
            self._low, self._past = spot, deque([spot])  # an onset lies at it or after it
        return self._sank(spot.expression, self._low.expression)

    def _sank(self, high: float, low: float) -> bool:
        """Whether one likelihood is much less than another; what is as likely as what opens an event never is."""
        return low < self._config.open and odds(low) <= self._config.sunk * odds(high)

    def _tell(self, event: _Event) -> list[Moment]:
        """The apex, once for each kind that it may be of: first of a micro-expression, later of a macro-expression."""
        kind = self._kind_so_far(event)
        if kind is None or kind == event.told or not self._peaked(event):
            return []
        event.told = kind
        likely = event.brief if kind == "micro" else event.sure
        return [Apex(event.id, self._face, event.onset, event.apex, kind, odds(likely))]

    def _peaked(self, event: _Event) -> bool:
        peak = max(spot.apex for spot in event.spots)
        return event.spots[-1].apex < (1.0 - self._config.fall) * peak or event.elapsed > self._config.micro_max_s

    def _end(self, event: _Event) -> list[Moment]:
        last, held = event.spots[-1], event.elapsed > self._config.macro_max_s
        lasts = last.expression >= self._config.close
        if lasts and not held and not self._sank(event.sure, last.expression):
            return []
        self._event, self._low, self._past = None, last if lasts else None, deque([last])
        kind = self._kind(event)
        return [self._offset(event, kind, "unsure" if kind is None else "held" if held else "")]

    def _kind_so_far(self, event: _Event) -> Kind | None:
        """What it seems to become; None where that is not sure enough."""
        if event.elapsed > self._config.micro_max_s:
            return self._kind(event)
        return "micro" if event.brief >= self._config.early else None

    def _kind(self, event: _Event) -> Kind | None:
        """What it is by how long it lasted; None where it is not sure enough to be an expression."""
        if event.elapsed > self._config.micro_max_s:
            return "macro" if event.sure >= self._config.macro else None
        return "micro" if event.sure >= self._config.micro else None

    def _offset(self, event: _Event, kind: Kind | None, reason: str) -> Offset:
        times = (event.onset, event.apex, event.spots[-1].t)
        return Offset(event.id, self._face, *times, kind, odds(event.sure), reason)


def odds(likely: float) -> float:
    """Of a probability; finite however sure it is."""
    sure = min(max(likely, LEAST), MOST)
    return sure / (1.0 - sure)
