"""Films as training draws from them: chunks of one length, of whoever is filmed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.errors import DataError
from realtime.records import Floats, Times
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.spotting.recurrent import unpacked
from train.methods.spotter.chunks import begins
from train.methods.spotter.pasted import Expressions, mirrored
from train.spotting.films import Film
from train.training.people import shares


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Part of a film."""

    ends: Times
    fields: Floats  #: (T, 2, S, S)
    head: Floats  #: (T,)
    turns: Floats  #: (T, TURNS)
    expressions: Expressions
    unsure: Expressions  #: from when to when nobody knows, as `pasted` takes what is there
    shown: int  #: ticks that there are; what follows is padding


class Footage:
    """Films of one kind; each person is drawn by the root of how long they are seen, and so is each of their films.

    So one who was filmed for minutes is not all that is learned from. What is shorter than a chunk is padded.
    """

    def __init__(self, films: Sequence[Film], chunk_s: float, tick_s: float, without: Collection[str] = ()) -> None:
        self._films, self._tick_s, self._length = films, tick_s, round(chunk_s / tick_s)
        length = self._length
        self._begins = [begins(film, length, without, LAG_S) if len(film.ends) > length else [0] for film in films]
        places = np.array([len(rows) > 0 for rows in self._begins])
        if not places.any():
            raise DataError(f"no film shows {chunk_s:g} s without {', '.join(without)}; wanted shorter ones")
        long = np.array([len(film.ends) for film in films], np.float64)
        self._shares = shares([film.person for film in films], long, np.sqrt(long)) * places
        self._shares /= self._shares.sum()

    def draw(self, rng: np.random.Generator, lookback_s: float) -> Chunk:
        """A chunk from anywhere, mirrored half of the time, on a clock that begins with it."""
        number = int(rng.choice(len(self._shares), p=self._shares))
        film, places = self._films[number], self._begins[number]
        begin = int(places[rng.integers(len(places))])
        rows = film.ticks[begin : begin + self._length].astype(np.float32)
        shown = len(rows)
        fields, head, turns = unpacked(np.pad(rows, ((0, self._length - shown), (0, 0))), FIELD_PX)
        if rng.random() < 0.5:
            fields, turns = mirrored(fields, turns)
        start = film.ends[begin]
        padding = film.ends[begin + shown - 1] + self._tick_s * np.arange(1, self._length - shown + 1)
        ends = np.concatenate([film.ends[begin : begin + shown], padding]) - start
        there = [(kind, *(np.array(times) - start)) for kind, *times in film.expressions]
        asked = [each for each in there if each[3] > -lookback_s and each[1] < ends[-1]]
        unsure = [(-1.0, low - start, low - start, high - start) for low, high in film.unsure]
        return Chunk(ends, fields.copy(), head, turns, asked, unsure, shown)


def together(one: Chunk, other: Chunk) -> Chunk:
    """Both at once."""
    return Chunk(
        one.ends, one.fields + other.fields, np.maximum(one.head, other.head), one.turns + other.turns,
        one.expressions + other.expressions, one.unsure + other.unsure, min(one.shown, other.shown),
    )  # fmt: skip
