"""How the faces of marked clips move, as the live process sees it: real skin, cameras, codecs, light and speech.

Each clip is watched as it is, and each of its expressions faster and weaker (see `datasets.marked.playing`), so that
real movements are there that are as short and small as those of micro-expressions. What is kept are motion fields; no
picture is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from realtime import config as realtime_config
from realtime.config import Config
from realtime.engine.landmarker import landmarker_version, open_landmarker
from realtime.faces.align import Aligner
from realtime.faces.track import Landmarker, Tracker
from realtime.records import Crop, Floats, Times
from realtime.representation.movement.fields import LAG_S
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.recurrent import packed
from realtime.spotting.scorer import PAUSE_S
from train.datasets.marked.marks import Mark, MarkedClip
from train.datasets.marked.playing import FULL, Playing, opened, shown
from train.datasets.marked.stretch import Stretch, whole
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run

VERSION = 1  # of what is kept
LIVELY = 2.0  # times as fast: beyond, nobody talks so


@dataclass(frozen=True, slots=True, eq=False)
class MarkedFace:
    """One face of a marked clip, from when it is found until it is lost; times are those that a viewer has."""

    clip: str
    person: str
    playing: Playing
    times: Times  #: (T,)
    rows: Floats  #: float16 (T, W), as `recurrent.packed` has them
    marks: tuple[Mark, ...]  #: of the stretch; the others are before or after this face


def marked_faces(
    clips: Sequence[MarkedClip], wanted: Sequence[Playing], cache: Path, workers: int | None = None
) -> list[MarkedFace]:
    """All of `clips` in every way of `wanted` in which they have something to show; what is in `cache` is read."""
    tasks = {
        f"{clip.id} x {playing.speed:g} at {playing.strength:g}, {number}": (clip, playing, stretch)
        for playing in wanted
        for clip in clips
        for number, stretch in enumerate(_parts(clip, playing))
    }
    stages = realtime_config.load()
    paths = {name: cache / f"marked-{_key(task, stages)}.npz" for name, task in tasks.items()}
    missing = {name: (*task, paths[name]) for name, task in tasks.items() if not paths[name].exists()}
    if missing:
        run(_watching, missing, "marked clips", workers)
    return [face for name, (clip, playing, _) in tasks.items() for face in _kept(paths[name], clip, playing)]


Task = tuple[MarkedClip, Playing, Stretch]


def _parts(clip: MarkedClip, playing: Playing) -> list[Stretch]:
    """What of `clip` is watched so: all of it at a speed at which people might talk and turn, else its expressions."""
    if playing.strength == FULL and playing.speed <= LIVELY:
        return [whole(clip.counting)]
    return playing.stretches(clip) if playing.shows(clip) else []


@contextmanager
def _watching() -> Iterator[Callable[[tuple[MarkedClip, Playing, Stretch, Path]], None]]:
    stages = realtime_config.load()
    landmarker = open_landmarker(stages)

    def work(task: tuple[MarkedClip, Playing, Stretch, Path]) -> None:
        landmarker.restart()
        _keep(*task, landmarker, stages)

    try:
        yield work
    finally:
        landmarker.close()


def _keep(
    clip: MarkedClip, playing: Playing, stretch: Stretch, path: Path, landmarker: Landmarker, stages: Config
) -> None:
    with opened(clip, playing, stretch, stages) as source:
        faces: dict[int, _Follower] = {}
        tracker = Tracker(stages.track, landmarker)
        for frame in source.frames():
            for face in tracker.push(frame):
                follower = faces.setdefault(face.id, _Follower(stages))
                for crop in follower.aligner.push((frame, face)):
                    follower.push(crop)
        marks = msgspec.json.encode(shown(clip, source))
    seen = [each for each in faces.values() if each.times]
    with writing(path) as file:
        np.savez(
            file,
            lengths=np.array([len(each.times) for each in seen], np.int64),
            times=np.array([t for each in seen for t in each.times], np.float64),
            rows=np.concatenate([each.rows for each in seen]) if seen else np.zeros((0, 0), np.float16),
            marks=np.frombuffer(marks, np.uint8),
        )


def _kept(path: Path, clip: MarkedClip, playing: Playing) -> list[MarkedFace]:
    with np.load(path) as kept:
        ends = np.cumsum(kept["lengths"])[:-1]
        times, rows = np.split(kept["times"], ends), np.split(kept["rows"], ends)
        marks = msgspec.json.decode(kept["marks"].tobytes(), type=tuple[Mark, ...])
    return [
        MarkedFace(clip.id, clip.person, playing, part, moved, marks)
        for each, row in zip(times, rows, strict=True)
        for part, moved in _unbroken(each, row)
    ]


def _unbroken(times: Times, rows: Floats) -> Iterator[tuple[Times, Floats]]:
    """The parts between which nothing was seen for longer than a scorer waits."""
    breaks = np.flatnonzero(np.diff(times) > PAUSE_S) + 1
    parts = zip(np.split(times, breaks), np.split(rows, breaks), strict=True)
    return ((part, moved) for part, moved in parts if len(part) > 1)


class _Follower:
    """One face of a clip, and how it moves."""

    def __init__(self, stages: Config) -> None:
        self.aligner = Aligner(stages.align)
        self.times: list[float] = []
        self.rows: list[Floats] = []
        self._flow = LaggedFlow(LAG_S, stages.align.size_px, PAUSE_S)

    def push(self, crop: Crop) -> None:
        moved = self._flow.push(crop)
        if moved is not None:
            motion, turns = moved
            self.times.append(crop.t)
            self.rows.append(packed(motion.field, motion.head, turns).astype(np.float16))


def _key(task: Task, stages: Config) -> str:
    clip, playing, stretch = task
    shape = (clip.sha256, clip.marks, playing.speed, playing.strength, stretch.begin_s)
    return digest(VERSION, LAG_S, *shape, landmarker_version(stages), cv2.__version__, stages.track, stages.align)
