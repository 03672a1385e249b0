"""Marked clips through the live pipeline, at each speed and strength, and all that it said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from realtime.config import Config
from realtime.engine.engine import Engine
from realtime.errors import DataError
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from train.chain.play import ToldEvent, heard
from train.datasets.marked.marks import Mark, MarkedClip
from train.datasets.marked.playing import Playing, opened, shown
from train.datasets.marked.stretch import Stretch
from train.storage.workers import run


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
        if playing.shows(clip)
    }
    found = run(partial(_opened, config), tasks, "clips", workers)
    return [stretch for each in found for stretch in each]


@contextmanager
def _opened(config: Config) -> Iterator[Callable[[tuple[MarkedClip, Playing]], list[PlayedStretch]]]:
    pair = engines(config)
    yield lambda task: play(*task, config, pair)


def play(clip: MarkedClip, playing: Playing, config: Config, pair: tuple[Engine, Judges]) -> list[PlayedStretch]:
    """All stretches of a clip; DataError where one has no two frames."""
    return [_play(clip, playing, stretch, config, pair) for stretch in playing.stretches(clip)]


def _play(
    clip: MarkedClip, playing: Playing, stretch: Stretch, config: Config, pair: tuple[Engine, Judges]
) -> PlayedStretch:
    with opened(clip, playing, stretch, config) as source:
        outlet = heard(source, config, pair)
    if outlet.frames < 2:
        raise DataError(f"{clip.id} has {outlet.frames} frames in {stretch}; wanted at least 2: correct its marks")
    seconds = outlet.last_s + 1.0 / outlet.rate_hz
    return PlayedStretch(clip.id, playing, shown(clip, source), source.lead_s, seconds, outlet.told)
