"""Real people among what the network of displacement fields is shown: their expressions, and what is none of them.

Unmarked are speech, turns, hands, blinks and stillness. The detector tells what moves, so of a few stretches without an
expression the one that moves most is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator

from realtime.labels import MEGC3
from realtime.records import Floats, Times
from realtime.representation.movement.fields import FIELD_PX
from realtime.spotting.recurrent import unpacked
from train.clips.marked import MarkedFace
from train.training.people import shares

LENGTH_S = (0.1, 0.6)  # from an onset that is none to its apex
APART_S = 0.4  # from what is marked, before and after it; longer than the lag, in which it is still seen
TRIES = 4
FRAMES = 3  # fewest from onset to apex that are worth showing

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """Part of a face's time, from an onset to an apex."""

    times: Times
    fields: Floats  #: (T, 2, S, S)
    onset: float
    apex: float
    label: str  #: "" of what is none


class RealFaces:
    """Draws from `faces`; each person counts by the root of how long they are seen."""

    def __init__(self, faces: Sequence[MarkedFace]) -> None:
        plain = [(face, _begins(face)) for face in faces if face.playing.strength == 1.0]
        self._plain = [(face, begins) for face, begins in plain if len(_apexes(begins))]
        long = np.array([face.times[-1] - face.times[0] for face, _ in self._plain], np.float64)
        self._shares = torch.tensor(shares([face.person for face, _ in self._plain], long, long))
        self._events = [excerpt for face in faces for excerpt in _events(face)]
        self._classes = sorted({excerpt.label for excerpt in self._events})

    def event(self, generator: Generator) -> Excerpt:
        """A marked expression; every class is as likely."""
        label = self._classes[int(torch.randint(len(self._classes), (), generator=generator))]
        shown = [excerpt for excerpt in self._events if excerpt.label == label]
        return shown[int(torch.randint(len(shown), (), generator=generator))]

    def rest(self, generator: Generator) -> Excerpt:
        """The liveliest of a few stretches without an expression."""
        drawn = [self._drawn(generator) for _ in range(TRIES)]
        return max(drawn, key=lambda excerpt: float(np.square(excerpt.fields[-1]).mean()))

    def anything(self, generator: Generator) -> Excerpt:
        """A stretch without an expression."""
        return self._drawn(generator)

    def __bool__(self) -> bool:
        return bool(self._plain and self._events)

    def _drawn(self, generator: Generator) -> Excerpt:
        face, begins = self._plain[int(torch.multinomial(self._shares, 1, generator=generator))]
        share, length = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        apexes = _apexes(begins)
        apex = int(apexes[int(share * len(apexes))])
        onset_s = face.times[apex] - (LENGTH_S[0] + length * (LENGTH_S[1] - LENGTH_S[0]))
        earliest = min(int(np.searchsorted(face.times, onset_s)), apex - FRAMES)
        return _excerpt(face, max(earliest, int(begins[apex])), apex, "")


def _begins(face: MarkedFace) -> Rows:
    """(T,) since which frame no expression can be seen, nor anything that might be one; T where one can be."""
    count = len(face.times)
    clear = np.ones(count, np.bool_)
    for mark in face.marks:
        clear &= (face.times < mark.onset_s - APART_S) | (face.times > mark.offset_s + APART_S)
    last = np.maximum.accumulate(np.where(clear, -1, np.arange(count)))
    return np.where(clear, last + 1, count)


def _apexes(begins: Rows) -> Rows:
    """Before which enough is seen that is none."""
    return np.flatnonzero(np.arange(len(begins)) - begins >= FRAMES)


def _events(face: MarkedFace) -> Iterator[Excerpt]:
    for mark in face.marks:
        first, last = (int(np.searchsorted(face.times, at)) for at in (mark.onset_s, mark.apex_s))
        there = face.times[0] <= mark.onset_s and last < len(face.times)
        if mark.class_ in MEGC3 and there and last - first >= FRAMES:
            yield _excerpt(face, first, last, mark.class_)


def _excerpt(face: MarkedFace, first: int, last: int, label: str) -> Excerpt:
    fields, _, _ = unpacked(face.rows[first : last + 1], FIELD_PX)
    times = face.times[first : last + 1]
    return Excerpt(times, np.asarray(fields, np.float32), float(times[0]), float(times[-1]), label)
