"""Marked clips as films: what their faces do, tick by tick, and what of it is an expression.

What is short enough is a micro-expression there, for that is all that tells one: real skin moves as briefly where a
clip is played faster. A wink is a blink to some and a smile to others, so nobody is asked about it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from realtime.records import Floats, Times
from realtime.spotting.ticks import Ticks
from train.clips.marked import MarkedFace
from train.datasets.marked.marks import Mark
from train.spotting.films import MACRO, MICRO, Film
from train.synthesis.script.strokes import MICRO_S

MARGIN_S = 0.25  # around what is unsure: its ends are, too
UNSURE = ("wink",)


def marked_films(faces: Iterable[MarkedFace], tick_s: float) -> list[Film]:
    """One of each face that is in view for a few ticks."""
    return [film for face in faces if (film := _film(face, tick_s)) is not None]


def _film(face: MarkedFace, tick_s: float) -> Film | None:
    clock = Ticks(tick_s)
    rows = face.rows.astype(np.float32)
    told = [tick for t, row in zip(face.times, rows, strict=True) for tick in clock.push(t, row)]
    if not told:
        return None
    ends, ticks = zip(*told, strict=True)
    sure = [mark for mark in face.marks if _sure(mark)]
    unsure = [(m.onset_s - MARGIN_S, m.offset_s + MARGIN_S) for m in face.marks if not _sure(m)]
    return Film(
        person=face.person,
        seconds=float(face.times[-1]),
        ends=np.array(ends),
        ticks=np.stack(ticks).astype(np.float16),
        expressions=np.array([_expression(mark) for mark in sure], np.float64).reshape(-1, 4),
        unsure=np.array(unsure, np.float64).reshape(-1, 2),
        rate_hz=_rate_hz(face.times),
    )


def _sure(mark: Mark) -> bool:
    return mark.counts and mark.label not in UNSURE


def _expression(mark: Mark) -> tuple[float, float, float, float]:
    kind = MICRO if mark.offset_s - mark.onset_s <= MICRO_S[1] else MACRO
    return kind, mark.onset_s, mark.apex_s, mark.offset_s


def _rate_hz(times: Times | Floats) -> float:
    return float((len(times) - 1) / (times[-1] - times[0]))
