"""Long films of people who make micro-expressions and much else, as a spotter sees them: ticks, and what happens when.

Nothing is encoded and kept as a video: the serving stages watch each film while it is made (see `sight`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from realtime import config as realtime_config
from realtime.config import Config
from realtime.engine.landmarker import landmarker_version, open_landmarker
from realtime.errors import DataError
from realtime.faces.align import Aligner
from realtime.faces.track import Tracker
from realtime.records import Crop, Floats, Times
from realtime.representation.motion_ticks import MotionTicks
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.recurrent import packed
from realtime.spotting.ticks import Ticks
from train.config.clips import Clips
from train.spotting.happened import Happened, happened
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run
from train.synthesis.synthetic import Synthetic, Take

VERSION = 1  # of what is kept
MICRO, MACRO = 0, 1  # the first column of `Film.expressions`


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """One film of one person."""

    person: str
    seconds: float
    ends: Times  #: (G,) seconds, when each tick ends
    ticks: Floats  #: float16 (G, W), as `recurrent.packed` has them
    expressions: Times  #: (N, 4) MICRO or MACRO, onset, apex, offset
    happened: tuple[Happened, ...] = ()  #: all that does, expressions too
    unsure: Times = field(default_factory=lambda: np.zeros((0, 2)))  #: (M, 2) from when to when nobody knows
    rate_hz: float = field(kw_only=True)  #: of the camera


@dataclass(frozen=True, slots=True)
class FilmOrder:
    """What films are wanted."""

    clips: Clips
    seconds: float
    micro_per_minute: float
    seen: MotionTicks


def films(order: FilmOrder, people: Sequence[str], cache: Path, workers: int | None = None) -> list[Film]:
    """One of each of `people`; those that are in `cache` already are read."""
    return run(partial(_filming, order, cache), {person: person for person in people}, "films", workers)


@contextmanager
def _filming(order: FilmOrder, cache: Path) -> Iterator[Callable[[str], Film]]:
    stages, dataset = realtime_config.load(), Synthetic(order.clips)
    landmarker = open_landmarker(stages)

    def work(person: str) -> Film:
        path = cache / f"film-{_key(order, person, stages)}.npz"
        take = dataset.video(person, 0, order.seconds, order.micro_per_minute)
        if not path.exists():
            landmarker.restart()
            made = _watched(dataset, take, order.seen, Tracker(stages.track, landmarker), stages)
            with writing(path) as file:
                np.savez(file, ends=made.ends, ticks=made.ticks, expressions=made.expressions)
        with np.load(path) as kept:
            parts = (kept["ends"], kept["ticks"], kept["expressions"])
        shown = happened(take.scene, order.clips.distractors)
        return Film(person, order.seconds, *parts, shown, rate_hz=take.camera.rate_hz)

    yield work
    landmarker.close()


def _watched(dataset: Synthetic, take: Take, seen: MotionTicks, tracker: Tracker, stages: Config) -> Film:
    """The ticks of the face that is in view for longest."""
    faces: dict[int, FilmedFace] = {}
    for frame in dataset.film(take):
        for face in tracker.push(frame):
            follower = faces.setdefault(face.id, FilmedFace(seen, stages))
            for crop in follower.aligner.push((frame, face)):
                follower.push(crop)
    longest = max(faces.values(), key=lambda face: len(face.ticks), default=None)
    if longest is None or not longest.ticks:
        raise DataError(f"no face is followed in the film of {take.person}; leave this person out, with fewer people")
    ends, rows = zip(*longest.ticks, strict=True)
    shown = [h for h in take.scene.happenings if h.role in ("micro", "macro")]
    expressions = np.array([(h.role == "macro", h.onset, h.apex, h.offset) for h in shown], np.float64).reshape(-1, 4)
    ticks = np.stack(rows).astype(np.float16)
    return Film(take.person, take.scene.seconds, np.array(ends), ticks, expressions, rate_hz=take.camera.rate_hz)


class FilmedFace:
    """One face of a film, and its ticks."""

    def __init__(self, seen: MotionTicks, stages: Config) -> None:
        self.aligner = Aligner(stages.align)
        self.ticks: list[tuple[float, Floats]] = []
        self._flow, self._clock = LaggedFlow(seen.lag_s, seen.crop_px, pause_s=math.inf), Ticks(seen.tick_s)

    def push(self, crop: Crop) -> None:
        moved = self._flow.push(crop)
        if moved is not None:
            motion, turns = moved
            self.ticks += self._clock.push(crop.t, packed(motion.field, motion.head, turns))


def sight(stages: Config) -> tuple[object, ...]:
    """What else decides what is seen of a film: the stages that watch it."""
    return (landmarker_version(stages), stages.track, stages.align)


def _key(order: FilmOrder, person: str, stages: Config) -> str:
    seen = (order.seen.crop_px, order.seen.size_px, order.seen.lag_s, order.seen.tick_s)
    return digest(VERSION, order.clips, order.seconds, order.micro_per_minute, person, *seen, *sight(stages))
