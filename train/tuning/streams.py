"""The detector over recordings: whole, and again from the motion that it measured, with other settings.

The second is a hundred times as fast, and nearly the same: which picture is the reference depends on the settings too,
and there it is that of the first run. So what a search finds is measured by the whole detector before it is believed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime.apex import STILL, Detector, Judge
from realtime.config import ApexConfig, Config
from realtime.records import Apex, Crop, Moment, Motion, Offset
from train.chain.truth import Video
from train.movements import Detection
from train.tuning.recordings import Recording

NO_PICTURE = np.zeros((0, 0, 3), np.uint8)

Look = tuple[Crop, Motion, float]  #: a frame without its picture, its motion, and the head's turn in degrees


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The motion of one face."""

    video: Video
    rate_hz: float
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """What the detector makes of one recording."""

    streams: tuple[Stream, ...]
    said: tuple[Detection, ...]


def whole(recording: Recording, stages: Config) -> Whole:
    """Every stage behind `align`, as it runs live."""
    ids, streams, said = itertools.count(1), [], []
    for face in recording.ids:
        detector = Detector(stages.apex, stages.motion, recording.pictures.shape[1], ids)
        moments: list[tuple[float, Moment]] = []
        looks: list[Look] = []
        t = 0.0
        for crop in recording.crops(face):
            t = crop.t
            moments += [(t, moment) for moment in detector.push(crop)]
            if detector.seen is not None:
                seen, turn = detector.seen
                looks.append((replace(crop, image=NO_PICTURE), replace(seen, field=STILL), turn))
        moments += [(t, moment) for moment in detector.flush()]
        streams.append(Stream(recording.video, recording.rate_hz, tuple(looks)))
        said += detections(recording.video.id, moments)
    return Whole(tuple(streams), tuple(said))


def again(stream: Stream, config: ApexConfig) -> list[Detection]:
    """What other settings of [apex] make of the same motion."""
    judge = Judge(config, itertools.count(1))
    moments = [(crop.t, moment) for crop, seen, turn in stream.looks for moment in judge.push(crop, seen, turn)]
    if stream.looks:
        moments += [(stream.looks[-1][0].t, moment) for moment in judge.flush()]
    return detections(stream.video.id, moments)


def detections(video: str, moments: Iterable[tuple[float, Moment]]) -> list[Detection]:
    """The expressions among `moments`, each with the time when it was told; surest by strength."""
    told: dict[int, tuple[float, Apex]] = {}
    found = []
    for t, moment in moments:
        if isinstance(moment, Apex):
            told[moment.event] = (t, moment)
        if isinstance(moment, Offset) and moment.kind is not None:
            early, apex = told.get(moment.event, (t, None))
            emitted = early if apex is not None and apex.kind == moment.kind else t
            found.append(
                Detection(
                    video, moment.kind, moment.onset, moment.apex, moment.t, confidence=moment.strength,
                    emitted_s=emitted,
                )
            )  # fmt: skip
    return found


def all_streams(found: Sequence[Whole]) -> list[Stream]:
    """Those of all recordings."""
    return [stream for each in found for stream in each.streams]
