"""Marked clips through the live pipeline, at each speed and strength, and all that it said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from realtime.capture.source import Source, open_source
from realtime.config import Config
from realtime.engine.engine import Engine
from realtime.engine.landmarker import open_landmarker
from realtime.errors import DataError
from realtime.faces.track import Tracker
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from train.chain.play import ToldEvent, heard
from train.chain.real.marks import Mark, MarkedClip, moved
from train.chain.real.stretch import Stretch, StretchSource, stretches, whole
from train.chain.real.weaken import WeakenedSource
from train.storage.workers import run

FULL = 1.0


@dataclass(frozen=True, slots=True)
class Playing:
    """How clips are played; at their own speed and strength all of each is, else what is needed for its expressions."""

    speed: float  #: so many times as fast
    strength: float  #: share that is left of each expression

    @property
    def own(self) -> bool:
        return self.speed == self.strength == FULL


@dataclass(frozen=True, slots=True, eq=False)
class PlayedStretch:
    """What the pipeline made of one stretch of a clip; all times are those of the clock that it saw."""

    clip: str
    playing: Playing
    marks: tuple[Mark, ...]  #: unsure ones too
    lead_s: float  #: so long the beginning was mirrored
    seconds: float  #: until the end, lead included
    told: tuple[ToldEvent, ...]


def play_all(
    clips: Sequence[MarkedClip], wanted: Sequence[Playing], config: Config, workers: int | None = None
) -> list[PlayedStretch]:
    """Every clip in every way of `wanted` in which it has something to show, shared among processes."""
    tasks = {
        f"{clip.id} x {playing.speed:g} at {playing.strength:g}": (clip, playing)
        for playing in wanted
        for clip in clips
        if playing.own or clip.counting
    }
    found = run(partial(_opened, config), tasks, "clips", workers)
    return [stretch for each in found for stretch in each]


@contextmanager
def _opened(config: Config) -> Iterator[Callable[[tuple[MarkedClip, Playing]], list[PlayedStretch]]]:
    pair = engines(config)
    yield lambda task: play(*task, config, pair)


def play(clip: MarkedClip, playing: Playing, config: Config, pair: tuple[Engine, Judges]) -> list[PlayedStretch]:
    """All stretches of a clip; DataError where one has no two frames."""
    wanted = [whole(clip.counting)] if playing.own else stretches(clip.counting, playing.speed)
    return [_play(clip, playing, stretch, config, pair) for stretch in wanted]


def _play(
    clip: MarkedClip, playing: Playing, stretch: Stretch, config: Config, pair: tuple[Engine, Judges]
) -> PlayedStretch:
    tracker = Tracker(config.track, open_landmarker(config)) if playing.strength != FULL else None
    base: Source = open_source(str(clip.path), config.source, fast=True)
    if tracker:
        base = WeakenedSource(base, _within(clip.counting, stretch), playing.strength, tracker)
    source = StretchSource(base, stretch, playing.speed)
    outlet = heard(source, config, pair)
    if tracker:
        tracker.close()
    if outlet.frames < 2:
        raise DataError(f"{clip.id} has {outlet.frames} frames in {stretch}; wanted at least 2: correct its marks")
    marks = (moved(m, stretch.begin_s, source.lead_s, playing.speed) for m in _within(clip.marks, stretch))
    seconds = outlet.last_s + 1.0 / outlet.rate_hz
    return PlayedStretch(clip.id, playing, tuple(marks), source.lead_s, seconds, outlet.told)


def _within(marks: Sequence[Mark], stretch: Stretch) -> list[Mark]:
    """Those that the stretch shows at least a part of."""
    return [mark for mark in marks if mark.offset_s > stretch.begin_s and mark.onset_s < stretch.end_s]
