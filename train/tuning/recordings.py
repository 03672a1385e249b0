"""Long videos -> the crops of every face in them, grey, kept on disk: all that the detector looks at.

Tracking and alignment take ten times as long as all behind them, and no setting of [spotter] changes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from realtime.config import Config
from realtime.engine.landmarker import landmarker_version, open_landmarker
from realtime.errors import DataError
from realtime.faces import align
from realtime.faces.align import Aligner
from realtime.faces.track import Landmarker, Tracker
from realtime.records import Crop, Floats, Image, Pose
from realtime.representation.movement import motion
from train.chain.play import opened
from train.chain.truth import Video, seen
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run

POINTS, MATRIX = np.zeros((0, 2), np.float32), np.eye(2, 3, dtype=np.float32)  # the detector looks at neither


@dataclass(frozen=True, slots=True, eq=False)
class FaceRecording:
    """The faces of one video at one rate, frame by frame."""

    video: Video
    rate_hz: float  #: 0 is the video's own
    seconds: float
    faces: npt.NDArray[np.int64]  #: (N,) id of each
    times: npt.NDArray[np.float64]  #: (N,) seconds
    poses: Floats  #: (N, 3) yaw, pitch, roll, degrees
    pictures: Image  #: uint8 (N, S, S)

    def crops(self, face: int) -> Iterator[Crop]:
        """Those of one face, grey in all three colours: `motion.grey` gives back the very same picture."""
        for i in np.flatnonzero(self.faces == face):
            picture = np.repeat(self.pictures[i][:, :, None], 3, axis=2)
            yield Crop(face, float(self.times[i]), picture, POINTS, MATRIX, Pose(*map(float, self.poses[i])))

    @property
    def ids(self) -> list[int]:
        return sorted(set(self.faces.tolist()))


def record(
    videos: Sequence[Video], rates_hz: Sequence[float], stages: Config, cache: Path, workers: int | None = None
) -> list[FaceRecording]:
    """Every video at every rate, rate by rate; what is in `cache` already is kept."""
    tasks = {f"{video.id} at {rate:g} Hz": (video, rate) for rate in rates_hz for video in videos}
    return run(partial(_recording, stages, cache), tasks, "recordings", workers)


@contextmanager
def _recording(stages: Config, cache: Path) -> Iterator[Callable[[tuple[Video, float]], FaceRecording]]:
    landmarker = open_landmarker(stages)

    def work(task: tuple[Video, float]) -> FaceRecording:
        video, rate_hz = task
        path = cache / f"recording-{_key(video, rate_hz, stages)}.npz"
        if not path.exists():
            with writing(path) as file:
                np.savez(file, **_followed(video, rate_hz, stages, landmarker))
        with np.load(path) as kept:
            seconds = float(kept["seconds"])
            arrays = (kept["faces"], kept["times"], kept["poses"], kept["pictures"])
        return FaceRecording(seen(video, seconds), rate_hz, seconds, *arrays)

    yield work
    landmarker.close()


def _followed(video: Video, rate_hz: float, stages: Config, landmarker: Landmarker) -> dict[str, npt.ArrayLike]:
    """Every face, by the stages and ids of the live process."""
    landmarker.restart()
    tracker = Tracker(stages.track, landmarker)
    aligners: dict[int, Aligner] = {}
    crops: list[tuple[int, float, tuple[float, float, float], Image]] = []
    stamps: list[float] = []
    source = opened(video, rate_hz, stages.source)
    for frame in source.frames():
        stamps.append(frame.t)
        for face in tracker.push(frame):
            aligner = aligners.setdefault(face.id, Aligner(stages.align))
            for crop in aligner.push((frame, face)):
                turned = (crop.pose.yaw, crop.pose.pitch, crop.pose.roll)
                crops.append((crop.face, crop.t, turned, motion.grey(crop.image)))
    source.close()
    if len(stamps) < 2:
        raise DataError(f"{video.id} has {len(stamps)} frames at {rate_hz:g} Hz; wanted at least 2: leave it out")
    side = stages.align.size_px
    return {
        "seconds": (stamps[-1] - stamps[0]) * len(stamps) / (len(stamps) - 1),
        "faces": np.array([face for face, *_ in crops], np.int64),
        "times": np.array([t for _, t, *_ in crops], np.float64),
        "poses": np.array([pose for *_, pose, _ in crops], np.float32).reshape(-1, 3),
        "pictures": np.array([grey for *_, grey in crops], np.uint8).reshape(-1, side, side),
    }


def _key(video: Video, rate_hz: float, stages: Config) -> str:
    files = sorted(video.path.iterdir()) if video.path.is_dir() else [video.path]
    content = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    sight = (landmarker_version(stages), cv2.__version__, stages.source.rate_hz, stages.track, stages.align)
    return digest("recording", 1, content, rate_hz, *sight, align.TEMPLATE.tolist())
