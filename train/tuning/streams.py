"""What the spotter says of recordings, kept, and the events that settings make of it: a second for an hour of video."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from realtime.config import SpotterConfig
from realtime.engine.engine import Engine
from realtime.engine.package.kind import of_kind
from realtime.errors import ConfigError
from realtime.records import Moment
from realtime.representation.crop_images import CropImages
from realtime.representation.movement.fields import LAG_S
from realtime.spotting.decide import EventDetector
from realtime.spotting.detector import scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.scorer import PAUSE_S, Spot
from train.chain.truth import Video
from train.spotting.comparison import taken_back, told
from train.spotting.movements import Detection
from train.tuning.recordings import FaceRecording


@dataclass(frozen=True, slots=True, eq=False)
class FaceStream:
    """One face: its spots, each with the time of the frame that made it known."""

    video: Video
    rate_hz: float
    face: int
    spots: tuple[tuple[float, Spot], ...]


def streams(recordings: Sequence[FaceRecording], spotter: Engine) -> list[FaceStream]:
    """Every face of every recording, through the stages behind `align`; ConfigError if colour matters to `spotter`."""
    manifest = spotter.manifest
    if of_kind(CropImages, manifest) is not None:
        raise ConfigError(
            f"{manifest.name} judges pictures in colour, recordings are grey; wanted a spotter of motion-ticks to tune"
        )
    return [_stream(recording, face, spotter) for recording in recordings for face in recording.ids]


@dataclass(frozen=True, slots=True)
class Said:
    """What is told live."""

    detections: list[Detection]
    taken_back: int  #: micro-expressions that were told at their apex, and not at their end


def together(every: Iterable[Said]) -> Said:
    """Of several streams."""
    all_of = list(every)
    return Said([one for said in all_of for one in said.detections], sum(said.taken_back for said in all_of))


def said(stream: FaceStream, config: SpotterConfig) -> Said:
    """What is told of it live, with these settings."""
    detector, last = EventDetector(config, itertools.count(1)), 0.0
    moments: list[tuple[float, Moment]] = []
    for last, spot in stream.spots:
        moments += [(last, moment) for moment in detector.push(stream.face, spot)]
    moments += [(last, moment) for moment in detector.flush()]
    return Said(told(stream.video.id, moments), taken_back(moment for _, moment in moments))


def _stream(recording: FaceRecording, face: int, engine: Engine) -> FaceStream:
    scorer = scorer_of(engine, LaggedFlow(LAG_S, recording.pictures.shape[1], PAUSE_S))
    spots = tuple((crop.t, spot) for crop in recording.crops(face) for spot in scorer.push(crop))
    return FaceStream(recording.video, recording.rate_hz, face, spots)
