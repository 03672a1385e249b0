"""The two threads before the pipeline's own: one tracks and aligns, one runs the encoder; each a few frames ahead.

Each takes about as long for a frame as the rest does, and their libraries work without Python's
lock, so three threads keep two cores busy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from realtime.ahead import Ahead
from realtime.align import Aligner
from realtime.config import Config
from realtime.encode import Encoder
from realtime.records import Crop, Face, Frame
from realtime.source import Source
from realtime.track import Tracker
from realtime.window import Encoded

MOST_ALIGNERS = 64  # of faces that came and went, before those who are gone are forgotten
AHEAD_FRAMES = 2  # that may wait between two threads; more would only make them older


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    frame: Frame
    faces: list[Face]
    crops: list[Crop]
    took_s: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A frame with its faces, and what the encoder made of each, in the same order."""

    frame: Frame
    faces: list[Face]
    views: list[Encoded]
    took_s: dict[str, float]  #: stage -> seconds


class Front:
    """Iterates over the frames of `source` after the encoder; what fails in a thread is raised where it is used."""

    def __init__(self, config: Config, source: Source, encoder: Encoder, seconds: float | None) -> None:
        self._config = config
        self._source = source
        self._encoder = encoder
        self._tracked = Ahead(self._track(seconds), AHEAD_FRAMES)
        self._watched = Ahead(self._encode(), AHEAD_FRAMES)

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._watched)

    def stop(self) -> None:
        """End the iteration soon, also when no frame comes. Any thread may call this, and a signal handler."""
        self._tracked.stop()
        self._watched.stop()

    def close(self) -> None:
        """Stop, close the source, and wait for both threads."""
        self.stop()
        self._source.close()  # before the wait, or a thread that waits for a camera would not end
        self._tracked.close()
        self._watched.close()

    def _track(self, seconds: float | None) -> Iterator[_Tracked]:
        tracker = Tracker(self._config.track)
        aligners: dict[int, Aligner] = {}
        try:
            for frame in self._source.frames():
                if seconds is not None and frame.t >= seconds:
                    return
                queued = time.monotonic() - frame.grabbed
                began = time.perf_counter()
                faces = tracker.push(frame)
                tracked = time.perf_counter()
                crops = [crop for face in faces for crop in self._aligner(aligners, face).push((frame, face))]
                took = {"queue": queued, "track": tracked - began, "align": time.perf_counter() - tracked}
                yield _Tracked(frame, faces, crops, took)
                if len(aligners) > MOST_ALIGNERS:
                    aligners = {face.id: aligners[face.id] for face in faces}
        finally:
            tracker.close()

    def _aligner(self, aligners: dict[int, Aligner], face: Face) -> Aligner:
        if face.id not in aligners:
            aligners[face.id] = Aligner(self._config.align)
        return aligners[face.id]

    def _encode(self) -> Iterator[Watched]:
        for tracked in self._tracked:
            began = time.perf_counter()
            views = self._encoder.see(tracked.crops)
            took = tracked.took_s | {"encode": time.perf_counter() - began}
            yield Watched(tracked.frame, tracked.faces, views, took)
