"""A part of a clip, played at another speed: only its clock runs faster, its pictures are the clip's own.

So that a spotter has seen the face at rest before anything happens, a stretch begins a while before its first
expression. Where the clip does not reach back so far, its quiet beginning is first played back and forth.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.records import Frame
from train.datasets.marked.marks import Mark

LEAD_S, TAIL_S = 1.0, 1.0  #: as played, before the first onset and after the last offset


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of the clip's own clock."""

    begin_s: float
    end_s: float
    first_s: float  #: the first onset in it; infinite where nothing happens


def whole(marks: Sequence[Mark]) -> Stretch:
    """All of a clip with these expressions."""
    return Stretch(0.0, math.inf, marks[0].onset_s if marks else math.inf)


def stretches(marks: Sequence[Mark], speed: float) -> list[Stretch]:
    """What must be played to see all `marks`, which are in order, at `speed`; those that would overlap are one."""
    found: list[Stretch] = []
    for mark in marks:
        begin, end = max(mark.onset_s - LEAD_S * speed, 0.0), mark.offset_s + TAIL_S * speed
        if found and begin <= found[-1].end_s:
            found[-1] = replace(found[-1], end_s=max(end, found[-1].end_s))
        else:
            found.append(Stretch(begin, end, mark.onset_s))
    return found


class StretchSource(Around):
    """A stretch of `source`, `speed` times as fast; the clip's `begin_s` is at `lead_s`."""

    def __init__(self, source: Source, stretch: Stretch, speed: float) -> None:
        super().__init__(source)
        self.stretch, self.speed = stretch, speed
        self.rate_hz *= speed
        missing_s = LEAD_S - (stretch.first_s - stretch.begin_s) / speed
        self._mirrored = max(math.ceil(missing_s * self.rate_hz - 1e-6), 0) if math.isfinite(missing_s) else 0
        self.lead_s = self._mirrored / self.rate_hz

    def frames(self) -> Iterator[Frame]:
        for index, (t, frame) in enumerate(self._timed()):
            yield Frame(frame.image, t, index, gap=0, grabbed=time.monotonic())

    def _timed(self) -> Iterator[tuple[float, Frame]]:
        quiet: list[Frame] = []  # those before the first onset, until the lead is made of them
        leading = self._mirrored > 0
        for frame in self._cut():
            if leading and quiet and (frame.t >= self.stretch.first_s or len(quiet) > self._mirrored):
                yield from self._lead(quiet)
                leading = False
            if leading:
                quiet.append(frame)
            else:
                yield self._played_s(frame.t), frame
        if leading:
            yield from self._lead(quiet)

    def _cut(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            if frame.t >= self.stretch.end_s:
                return
            if frame.t >= self.stretch.begin_s:
                yield frame

    def _lead(self, quiet: Sequence[Frame]) -> Iterator[tuple[float, Frame]]:
        """`quiet` back and forth, so that it ends with its first frame again, then as it was."""
        if not quiet:
            return
        begin_s = self._played_s(quiet[0].t)
        for back in range(self._mirrored, 0, -1):
            yield begin_s - back / self.rate_hz, quiet[reflected(back, len(quiet))]
        yield from ((self._played_s(frame.t), frame) for frame in quiet)

    def _played_s(self, t: float) -> float:
        return self.lead_s + (t - self.stretch.begin_s) / self.speed


def reflected(steps: int, count: int) -> int:
    """Where one is after so many steps from 0 along 0 ... count - 1, turning round at both ends."""
    if count == 1:
        return 0
    place = steps % (2 * (count - 1))
    return min(place, 2 * (count - 1) - place)
