"""What the live detector says of a clip that is served to it, as it runs live."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from realtime.config import SpotterConfig
from realtime.engine.engine import Engine
from realtime.records import Apex, Crop, Moment, Offset, Onset
from realtime.spotting.detector import FaceSpotter

M = TypeVar("M", bound=Moment)

Timed = tuple[tuple[float, M], ...]  #: moments, each with the time of the newest frame when it was told


@dataclass(frozen=True, slots=True)
class DetectorTrace:
    """Scores and moments of one clip, on its clock; the moments in the order in which they were told."""

    scores: tuple[float, ...]  #: of each frame with a face: how likely an expression is under way
    onsets: Timed[Onset]
    apexes: Timed[Apex]
    offsets: Timed[Offset]


def trace(crops: Sequence[Crop], config: SpotterConfig, spotter: Engine) -> DetectorTrace:
    """Push `crops` (S, S) of a face through the detector as a recording of its own, from its beginning to its end."""
    if not crops:
        return DetectorTrace((), (), (), ())
    detector = FaceSpotter(config, crops[0].image.shape[0], spotter, itertools.count(1))
    detector.rest(crops[0])
    scores: list[float] = []
    said: list[tuple[float, Moment]] = []
    for crop in crops:
        said += [(crop.t, moment) for moment in detector.push(crop)]
        scores.append(detector.score)
    said += [(crops[-1].t, moment) for moment in detector.finish()]
    return DetectorTrace(tuple(scores), _only(Onset, said), _only(Apex, said), _only(Offset, said))


def _only(kind: type[M], said: Iterable[tuple[float, Moment]]) -> Timed[M]:
    return tuple((t, moment) for t, moment in said if isinstance(moment, kind))
