"""The threads before the pipeline's own, a few frames ahead: they do with each frame what needs no judgement.

One finds faces and aligns them; another measures how they moved, while the encoder looks at them in the pipeline's.
Networks and flow work without Python's lock, so all cores are kept busy. A recording that is played as fast as possible
is decoded in one more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.landmarker import open_landmarker
from realtime.faces.align import Aligner
from realtime.faces.track import Landmarker, Tracker
from realtime.pipeline.budget import Budget
from realtime.pipeline.prefetch import Prefetch
from realtime.pipeline.timing import Stopwatch, Took
from realtime.records import Crop, Face, Frame
from realtime.representation.movement.fields import LAG_S
from realtime.spotting.lagged_flow import LaggedFlow, stood
from realtime.spotting.scorer import PAUSE_S

AHEAD_FRAMES = 2  # that may wait between two threads; more would only make them older


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A frame with its faces, their crops and flows, in the same order."""

    frame: Frame
    faces: list[Face]
    crops: list[Crop]
    flows: list[LaggedFlow]  #: which know how the faces moved up to this frame once `moved` says so
    moved: Future[Took]  #: what measuring that took
    first: bool  #: whether no frame came before it
    took: dict[str, Took]  #: by stage
    fetch_s: float  #: what getting a frame took, the mean over this one and those that were skipped before it
    skipped: int  #: frames that nobody had time for, since the beginning


class _Followed:
    """What is kept of one face from frame to frame."""

    def __init__(self, config: Config) -> None:
        self.aligner = Aligner(config.align)
        self.flow = LaggedFlow(LAG_S, config.align.size_px, PAUSE_S)
        self.seen = 0.0  #: when last, by its frame


class Front:
    """Iterates over the frames of `source` that `budget` has time for; what fails in a thread is raised here."""

    def __init__(
        self,
        config: Config,
        source: Source,
        budget: Budget,
        seconds: float | None,
        landmarker: Callable[[], Landmarker] | None = None,
    ) -> None:
        self._config = config
        self._source = source
        self._budget = budget
        # Opening it takes a second or two: before anything is decoded, or the first frames would wait for it.
        self._tracker = Tracker(config.track, open_landmarker(config) if landmarker is None else landmarker())
        self._followed: dict[int, _Followed] = {}  # by face
        self._measuring = ThreadPoolExecutor(1, "motion")
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
        self._measuring.shutdown(cancel_futures=True)

    def _track(self, seconds: float | None) -> Iterator[Tracked]:
        first = True
        try:
            for frame, fetch_s, skipped in self._chosen():
                if seconds is not None and frame.t >= seconds:
                    return
                queued = time.monotonic() - frame.grabbed
                watch = Stopwatch()
                faces = self._tracker.push(frame)
                tracked = watch.lap()
                followed = self._follow(frame.t, faces)
                pairs = zip(followed, faces, strict=True)
                crops = [crop for each, face in pairs for crop in each.aligner.push((frame, face))]
                took = {"queue": Took(queued, 0.0), "track": tracked, "align": watch.lap()}
                flows = [each.flow for each in followed]
                moved = self._measuring.submit(_measure, flows, crops, first=first)
                yield Tracked(frame, faces, crops, flows, moved, first, took, fetch_s, skipped)
                first = False
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

    def _follow(self, t: float, faces: Sequence[Face]) -> list[_Followed]:
        """What is kept of each; who has been away for so long that no face gets its id again is forgotten."""
        for id in [id for id, each in self._followed.items() if t - each.seen > self._config.track.retire_s]:
            del self._followed[id]
        for face in faces:
            if face.id not in self._followed:
                self._followed[face.id] = _Followed(self._config)
            self._followed[face.id].seen = t
        return [self._followed[face.id] for face in faces]


def _measure(flows: Sequence[LaggedFlow], crops: Sequence[Crop], *, first: bool) -> Took:
    """Let the flows measure how the faces moved up to `crops`."""
    watch = Stopwatch()
    for flow, crop in zip(flows, crops, strict=True):
        for each in (*(stood(crop) if first else ()), crop):
            flow.push(each)
    return watch.lap()
