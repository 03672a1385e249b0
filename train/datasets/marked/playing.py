"""How a marked clip is played, and the pictures that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from realtime.capture.source import Source, open_source
from realtime.config import Config
from realtime.engine.landmarker import open_landmarker
from realtime.faces.track import Tracker
from train.datasets.marked.marks import Mark, MarkedClip, moved
from train.datasets.marked.stretch import Stretch, StretchSource, stretches, whole
from train.datasets.marked.weaken import WeakenedSource

FULL = 1.0


@dataclass(frozen=True, slots=True)
class Playing:
    """How clips are played; at their own speed and strength all of each is, else what is needed for its expressions."""

    speed: float  #: so many times as fast
    strength: float  #: share that is left of each expression

    @property
    def own(self) -> bool:
        return self.speed == self.strength == FULL

    def shows(self, clip: MarkedClip) -> bool:
        """Whether there is anything to see of `clip` so."""
        return self.own or bool(clip.counting)

    def stretches(self, clip: MarkedClip) -> list[Stretch]:
        """The parts of `clip` that are played so."""
        return [whole(clip.counting)] if self.own else stretches(clip.counting, self.speed)


@contextmanager
def opened(clip: MarkedClip, playing: Playing, stretch: Stretch, config: Config) -> Iterator[StretchSource]:
    """The pictures of a stretch, played so."""
    with ExitStack() as stack:
        base: Source = open_source(str(clip.path), config.source, fast=True)
        stack.callback(base.close)
        if playing.strength != FULL:
            tracker = Tracker(config.track, open_landmarker(config))
            stack.callback(tracker.close)
            base = WeakenedSource(base, _within(clip.counting, stretch), playing.strength, tracker)
        yield StretchSource(base, stretch, playing.speed)


def shown(clip: MarkedClip, source: StretchSource) -> tuple[Mark, ...]:
    """What `source` shows of what is marked, unsure stretches too, on the clock that it has."""
    stretch = source.stretch
    return tuple(moved(m, stretch.begin_s, source.lead_s, source.speed) for m in _within(clip.marks, stretch))


def _within(marks: Sequence[Mark], stretch: Stretch) -> list[Mark]:
    """Those that the stretch shows at least a part of."""
    return [mark for mark in marks if mark.offset_s > stretch.begin_s and mark.onset_s < stretch.end_s]
