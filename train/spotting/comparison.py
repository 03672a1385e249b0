"""What the serving process makes of the spots of a film, and what is true of it, so that they can be compared."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from realtime.config import SpotterConfig
from realtime.records import Apex, Moment, Offset
from realtime.spotting.decide import EventDetector
from realtime.spotting.scorer import Spot
from train.spotting.films import MICRO, Film
from train.spotting.movements import Detection, Movement


def shown(film: Film) -> list[Movement]:
    """The expressions of a film, which goes by its person's name."""
    return [
        Movement(film.person, "micro" if kind == MICRO else "macro", onset, apex, offset)
        for kind, onset, apex, offset in film.expressions.tolist()
    ]


def detections(film: Film, spots: Sequence[Spot], config: SpotterConfig, lookback_s: float) -> list[Detection]:
    """The expressions that are told of it."""
    return told(film.person, _moments(film, spots, config, lookback_s))


def announced(film: Film, spots: Sequence[Spot], config: SpotterConfig, lookback_s: float) -> list[Detection]:
    """What is told for micro-expressions at their apexes, whatever becomes of it; each is as long as it was then."""
    return [
        Detection(film.person, moment.kind, moment.onset, moment.t, t - lookback_s, moment.strength, emitted_s=t)
        for t, moment in _moments(film, spots, config, lookback_s)
        if isinstance(moment, Apex) and moment.kind == "micro"
    ]


def taken_back(moments: Iterable[Moment]) -> int:
    """How many events were told at their apex as a micro-expression, and at their end as none."""
    seen = list(moments)
    early = {moment.event for moment in seen if isinstance(moment, Apex) and moment.kind == "micro"}
    return sum(isinstance(moment, Offset) and moment.event in early and moment.kind != "micro" for moment in seen)


def told(video: str, moments: Iterable[tuple[float, Moment]]) -> list[Detection]:
    """The expressions among `moments`, each with the time when it was first told as what it is; surest by strength."""
    first: dict[tuple[int, str], float] = {}
    found = []
    for t, moment in moments:
        if isinstance(moment, Apex):
            first.setdefault((moment.event, moment.kind), t)
        if isinstance(moment, Offset) and moment.kind is not None:
            emitted = first.get((moment.event, moment.kind), t)
            times = (moment.onset, moment.apex, moment.t)
            found.append(Detection(video, moment.kind, *times, confidence=moment.strength, emitted_s=emitted))
    return found


def _moments(film: Film, spots: Sequence[Spot], config: SpotterConfig, lookback_s: float) -> list[tuple[float, Moment]]:
    detector = EventDetector(config, itertools.count(1))
    moments = [(spot.t + lookback_s, moment) for spot in spots for moment in detector.push(0, spot)]
    return moments + [(film.seconds, moment) for moment in detector.flush()]
