"""Recorded clips as the live process sees them, each in files of its own and none in memory until it is asked for.

DFEW alone would be ten gigabytes. What is written depends on the recording and the serving stages alone, so one
cache serves every label set, method and fold; a killed run goes on with the clips that are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from realtime import config as realtime_config
from realtime.config import Config
from realtime.records import Crop, Pose
from realtime.track import MediaPipe
from train.clips import Times, event
from train.config import digest
from train.datasets.recorded import Recorded
from train.datasets.sample import Dataset, Sample
from train.folds import Case, cases
from train.prepare import face_crops, save_array

ClipSet = Dataset | Recorded  #: the second is one of the first, but cannot be renamed

#: What is kept of a crop beside its picture.
FACE = np.dtype([("t", "f8"), ("landmarks", "f4", (468, 2)), ("matrix", "f4", (2, 3)), ("pose", "f4", (3,))])


@dataclass(frozen=True, slots=True)
class StoredClip:
    """Where a clip lies, and what is known of it."""

    case: Case
    sample: Sample
    path: Path  #: absolute, without the endings

    @property
    def pictures(self) -> Path:
        """Written last: where it is, the clip is whole."""
        return self.path.with_name(self.path.name + ".npy")

    @property
    def faces(self) -> Path:
        """Of the frames in which there is a face."""
        return self.path.with_name(self.path.name + ".faces.npy")

    def times(self) -> Times:
        """float64 (T,), rising."""
        return np.array(np.load(self.faces, mmap_mode="r")["t"])

    def crops(self) -> npt.NDArray[np.uint8]:
        """uint8 (T, S, S, 3), RGB, on disk."""
        return np.asarray(np.load(self.pictures, mmap_mode="r"))

    def event(self) -> range:
        """The frames from onset to offset, both included."""
        times = self.times()
        return range(len(times))[event(times, self.sample)]

    def served(self) -> list[Crop]:
        """Every crop as `align` gave it, for the stages behind it."""
        rows = zip(np.load(self.faces), self.crops(), strict=True)
        return [Crop(1, float(f["t"]), p, f["landmarks"], f["matrix"], Pose(*map(float, f["pose"]))) for f, p in rows]


def store(dataset: ClipSet, cache: Path) -> list[StoredClip]:
    """Bring the clips of `dataset` that are not in `cache` through track and align; all of them, in order."""
    stages = realtime_config.load()
    folder = (cache / f"{dataset.name}-{digest('stored-clips', 1, stages.track, stages.align)}").resolve()
    samples = dataset.samples()
    clips = [
        StoredClip(case, sample, folder / f"{sample.id}-{digest(*_recorded(sample))}")
        for case, sample in zip(cases({dataset.name: samples}), samples, strict=True)
    ]
    missing = [clip for clip in clips if not clip.pictures.exists()]
    if missing:
        landmarker = MediaPipe(stages.track)
        for clip in tqdm(missing, dataset.name):
            _save(clip, face_crops(dataset.frames(clip.sample), stages, landmarker), stages)
        landmarker.close()
    return clips


def _recorded(sample: Sample) -> Sequence[object]:
    """What the pictures depend on. The path as it was given: with a relative one a cache can be moved along."""
    where = sample.recording
    return (sample.id,) if where is None else (where.path.as_posix(), where.fps, where.first, where.last)


def _save(clip: StoredClip, crops: Sequence[Crop], stages: Config) -> None:
    faces = np.array([(c.t, c.landmarks, c.matrix, (c.pose.yaw, c.pose.pitch, c.pose.roll)) for c in crops], FACE)
    side = stages.align.size_px
    save_array(clip.faces, faces)
    save_array(clip.pictures, np.stack([c.image for c in crops]) if crops else np.zeros((0, side, side, 3), np.uint8))
