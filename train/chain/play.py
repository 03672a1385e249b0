"""A video through the live pipeline, as fast as it goes, and all that it published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from realtime.capture.source import Source, open_source
from realtime.config import Config, SourceConfig
from realtime.engine.engine import Engine
from realtime.errors import DataError
from realtime.pipeline.pipeline import Pipeline
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from realtime.schema.message import Event, Meta, State
from train.chain.slowed import SlowedSource
from train.chain.truth import Video, seen
from train.clips.exposures import SAME
from train.storage.workers import run

OWN = 0.0  #: stands for a video's own rate


@dataclass(frozen=True, slots=True, eq=False)
class ToldEvent:
    """All answers about one event, in the order in which they were told."""

    answers: tuple[Event, ...]

    @property
    def last(self) -> Event:
        return self.answers[-1]

    @property
    def first(self) -> Event:
        """The first answer of the kind that it ends with."""
        return next(answer for answer in self.answers if answer.kind == self.last.kind)


@dataclass(frozen=True, slots=True, eq=False)
class PlayedVideo:
    """What the pipeline made of one video at one rate."""

    video: Video
    rate_hz: float  #: that it was asked for; `OWN` for the video's own
    seen_hz: float  #: frames a second on the video's clock
    seconds: float  #: that were watched
    told: tuple[ToldEvent, ...]


class Kept:
    """Implements `publish.Outlet`: keeps what it is given, and reaches nobody."""

    def __init__(self) -> None:
        self.events: dict[int, list[Event]] = {}
        self.frames = 0
        self.first_s = self.last_s = 0.0

    def state(self, state: State) -> None:
        self.first_s = state.t if self.frames == 0 else self.first_s
        self.frames, self.last_s = self.frames + 1, state.t

    def event(self, event: Event) -> Event:
        self.events.setdefault(event.id, []).append(event)
        return event

    def meta(self, meta: Meta) -> Meta:
        return meta

    @property
    def told(self) -> tuple[ToldEvent, ...]:
        return tuple(ToldEvent(tuple(answers)) for answers in self.events.values())

    @property
    def rate_hz(self) -> float:
        span = self.last_s - self.first_s
        return (self.frames - 1) / span if span > 0 else 0.0


def play(video: Video, rate_hz: float, config: Config, pair: tuple[Engine, Judges]) -> PlayedVideo:
    """The whole video, with every stage that runs live; DataError where it has no two frames."""
    outlet = heard(opened(video, rate_hz, config.source), config, pair)
    if outlet.frames < 2:
        raise DataError(f"{video.id} has {outlet.frames} frames at {rate_hz:g} Hz; wanted at least 2: leave it out")
    seconds = outlet.frames / outlet.rate_hz
    return PlayedVideo(seen(video, seconds), rate_hz, outlet.rate_hz, seconds, outlet.told)


def heard(source: Source, config: Config, pair: tuple[Engine, Judges]) -> Kept:
    """All that the live pipeline says of a source until it ends."""
    outlet = Kept()
    Pipeline(config, source, outlet, pair).run()
    return outlet


def opened(video: Video, rate_hz: float, config: SourceConfig) -> Source:
    """The video at `rate_hz`, or at its own."""
    source = open_source(str(video.path), config, fast=True)
    return SlowedSource(source, rate_hz) if rate_hz and source.rate_hz > rate_hz * SAME else source


def play_all(
    videos: Sequence[Video], rates_hz: Sequence[float], config: Config, workers: int | None = None
) -> dict[float, list[PlayedVideo]]:
    """Every video at its own rate and at each of `rates_hz` that it reaches, shared among processes; by rate.

    One that is as fast as asked, no more, is played once for both.
    """
    own = {video.id: _own_hz(video, config.source) for video in videos}
    rates = dict.fromkeys((OWN, *rates_hz))
    wanted = [(rate, video) for rate in rates for video in videos if own[video.id] * SAME >= rate]
    at = {(rate, video.id): rate if own[video.id] > rate * SAME else OWN for rate, video in wanted}
    tasks = {_name(video, at[rate, video.id]): (video, at[rate, video.id]) for rate, video in wanted}
    found = dict(zip(tasks, run(partial(_playing, config), tasks, "videos", workers), strict=True))
    played: dict[float, list[PlayedVideo]] = {}
    for rate, video in wanted:
        one = found[_name(video, at[rate, video.id])]
        played.setdefault(rate, []).append(replace(one, rate_hz=rate))
    return played


def _name(video: Video, rate_hz: float) -> str:
    return f"{video.id} at {rate_hz:g} Hz" if rate_hz else video.id


@contextmanager
def _playing(config: Config) -> Iterator[Callable[[tuple[Video, float]], PlayedVideo]]:
    pair = engines(config)
    yield lambda task: play(*task, config, pair)


def _own_hz(video: Video, config: SourceConfig) -> float:
    source = open_source(str(video.path), config, fast=True)
    source.close()
    return source.rate_hz
