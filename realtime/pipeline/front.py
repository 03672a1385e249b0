"""The thread before the pipeline's own: it tracks and aligns, a few frames ahead.

The face mesh takes half of all time and works without Python's lock, so two threads keep two cores busy. A recording
that is played as fast as possible is decoded in a third one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.landmarker import open_landmarker
from realtime.faces.align import Aligner
from realtime.faces.track import Tracker
from realtime.pipeline.budget import Budget
from realtime.pipeline.prefetch import Prefetch
from realtime.pipeline.timing import Stopwatch, Took
from realtime.records import Crop, Face, Frame

MOST_ALIGNERS = 64  # of faces that came and went, before those who are gone are forgotten
AHEAD_FRAMES = 2  # that may wait between two threads; more would only make them older


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A frame with its faces and their crops, in the same order."""

    frame: Frame
    faces: list[Face]
    crops: list[Crop]
    took: dict[str, Took]  #: by stage
    fetch_s: float  #: what getting a frame took, the mean over this one and those that were skipped before it
    skipped: int  #: frames that nobody had time for, since the beginning


class Front:
    """Iterates over the frames of `source` that `budget` has time for; what fails in a thread is raised here."""

    def __init__(self, config: Config, source: Source, budget: Budget, seconds: float | None) -> None:
        self._config = config
        self._source = source
        self._budget = budget
        # Opening it takes a second or two: before anything is decoded, or the first frames would wait for it.
        self._tracker = Tracker(config.track, open_landmarker(config))
        self._decoded = None if source.live else Prefetch(source.frames(), AHEAD_FRAMES, "decode")
        self._tracked = Prefetch(self._track(seconds), AHEAD_FRAMES, "track")

    def __iter__(self) -> Iterator[Tracked]:
        return iter(self._tracked)

    def stop(self) -> None:
        """End the iteration soon, also when no frame comes. Any thread may call this, and a signal handler."""
        if self._decoded is not None:
            self._decoded.stop()
        self._tracked.stop()

    def close(self) -> None:
        """Stop, close the source, and wait for the threads."""
        self.stop()
        self._source.close()  # before the wait, or a thread that waits for a camera would not end
        if self._decoded is not None:
            self._decoded.close()
        self._tracked.close()

    def _track(self, seconds: float | None) -> Iterator[Tracked]:
        aligners: dict[int, Aligner] = {}
        try:
            for frame, fetch_s, skipped in self._chosen():
                if seconds is not None and frame.t >= seconds:
                    return
                queued = time.monotonic() - frame.grabbed
                watch = Stopwatch()
                faces = self._tracker.push(frame)
                tracked = watch.lap()
                crops = [crop for face in faces for crop in self._aligner(aligners, face).push((frame, face))]
                took = {"queue": Took(queued, 0.0), "track": tracked, "align": watch.lap()}
                yield Tracked(frame, faces, crops, took, fetch_s, skipped)
                if len(aligners) > MOST_ALIGNERS:
                    aligners = {face.id: aligners[face.id] for face in faces}
        finally:
            self._tracker.close()

    def _chosen(self) -> Iterator[tuple[Frame, float, int]]:
        """Those that there is time for, with what getting one took, and how many were skipped up to it.

        What is skipped between two is in the gap of the second.
        """
        gap, skipped, fetched, took = 0, 0, 0, 0.0
        asked = time.monotonic()
        for number, frame in enumerate(self._source.frames() if self._decoded is None else self._decoded):
            took += time.monotonic() - max(asked, frame.grabbed)  # without waiting for the camera
            fetched += 1
            if (number + 1) % self._budget.plan.every:
                gap, skipped = gap + frame.gap + 1, skipped + 1
            else:
                yield (replace(frame, gap=frame.gap + gap) if gap else frame), took / fetched, skipped
                gap, fetched, took = 0, 0, 0.0
            asked = time.monotonic()

    def _aligner(self, aligners: dict[int, Aligner], face: Face) -> Aligner:
        if face.id not in aligners:
            aligners[face.id] = Aligner(self._config.align)
        return aligners[face.id]
