"""A session that is played again and again goes on like a camera: times, frames and ids of events never fall back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import msgspec

from realtime.schema.message import Event, Published, State
from realtime.session.read import Record, Session

#: Between the last message of a lap and the first of the next.
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Length:
    """How much of everything one lap takes."""

    at_s: float = 0.0
    t_s: float = 0.0
    frames: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class Lap:
    """One repetition; in the first, whose number is 0, everything is as it was recorded."""

    number: int
    length: Length

    def of(self, message: Published) -> Published:
        """`message` as it is in this lap."""
        if self.number == 0:
            return message
        changes: dict[str, float | int] = {"t": self.t(message.t)}
        if isinstance(message, State):
            changes["frame"] = self.frame(message.frame)
        if isinstance(message, Event):
            changes["id"] = message.id + self.number * self.length.events
            for name in ("onset_s", "apex_s", "offset_s", "emitted_s"):
                if (t := getattr(message, name)) is not None:
                    changes[name] = self.t(t)
        return msgspec.structs.replace(message, **changes)

    def t(self, t: float) -> float:
        """A time on a camera's clock."""
        return t + self.number * self.length.t_s

    def frame(self, frame: int) -> int:
        """The number of a frame."""
        return frame + self.number * self.length.frames

    def recorded_event(self, id: int) -> int:
        """The id in the recording of an event of this lap or an earlier one."""
        return (id - 1) % self.length.events + 1 if self.length.events else id


FIRST = Lap(0, Length())


def laps(session: Session, *, repeat: bool) -> Iterator[tuple[Lap, Record]]:
    """The records with their lap, once or for ever, the first of them at 0 s; nothing for an empty session."""
    measure = _Measure()
    for number in count() if repeat else (0,):
        lap = Lap(number, measure.length())
        for record in session:
            measure.take(record)
            yield lap, Record(record.at_s - measure.began_s + number * lap.length.at_s, record.message)
        if measure.empty:
            return


class _Measure:
    """Finds the length of a lap in its records."""

    def __init__(self) -> None:
        self.began_s = self._ended_s = math.inf
        self._first_t, self._last_t = math.inf, -math.inf
        self._frames = self._events = 0

    @property
    def empty(self) -> bool:
        return self.began_s == math.inf

    def take(self, record: Record) -> None:
        message = record.message
        self.began_s, self._ended_s = min(self.began_s, record.at_s), record.at_s
        self._first_t, self._last_t = min(self._first_t, message.t), max(self._last_t, message.t)
        if isinstance(message, State):
            self._frames = max(self._frames, message.frame + 1)
        if isinstance(message, Event):
            self._events = max(self._events, message.id)

    def length(self) -> Length:
        if self.empty:
            return Length()
        lasted_s, lasted_t = self._ended_s - self.began_s, self._last_t - self._first_t
        return Length(lasted_s + PAUSE_S, lasted_t + PAUSE_S, self._frames, self._events)
