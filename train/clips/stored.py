"""Clips as the live process sees them, each in files of its own and none in memory until it is asked for.

DFEW alone would be ten gigabytes. What is written depends on the frames and the serving stages alone, so one
cache serves every label set, method and fold; a killed run goes on with the clips that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from realtime import config as realtime_config
from realtime.config import Config, SpotterConfig
from realtime.engine.landmarker import landmarker_version, open_landmarker
from realtime.engine.package.manifest import MODEL
from realtime.faces import align
from realtime.recognition import heads
from realtime.records import Crop, Pose, Times
from train.clips.clip import ClipCrops, event
from train.clips.detector_trace import DetectorTrace, trace
from train.clips.prepare import face_crops, save_array
from train.datasets.annotation.sample import Dataset, Sample
from train.datasets.folds import Case, cases
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run

#: What is kept of a crop beside its picture.
FACE = np.dtype([("t", "f8"), ("landmarks", "f4", (468, 2)), ("matrix", "f4", (2, 3)), ("pose", "f4", (3,))])


@dataclass(frozen=True, slots=True)
class StoredClip:
    """Where a clip lies, and what is known of it."""

    case: Case
    sample: Sample
    path: Path  #: absolute, without the endings
    detector: str  #: changes with what shapes `trace`, and not the crops

    @property
    def pictures(self) -> Path:
        """Written after `faces`: where it is, both are whole."""
        return self.beside("npy")

    @property
    def faces(self) -> Path:
        """Of the frames in which there is a face."""
        return self.beside("faces.npy")

    @property
    def answers(self) -> Path:
        """Of the live detector."""
        return self.beside(f"{self.detector}.json")

    @property
    def named(self) -> Sample:
        """The sample under the names of its case, which are unique over all data sets."""
        return replace(self.sample, id=self.case.id, subject=self.case.subject)

    def beside(self, ending: str) -> Path:
        """A file of the clip's own."""
        return self.path.with_name(f"{self.path.name}.{ending}")

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

    def trace(self) -> DetectorTrace:
        """What the live detector says of it."""
        return msgspec.json.decode(self.answers.read_bytes(), type=DetectorTrace)

    def cut(self, around_s: float = 0.0) -> ClipCrops:
        """The event and up to `around_s` before and after it, in memory; `named`."""
        sample, times = self.named, self.times()
        wide = replace(sample, onset_s=sample.onset_s - around_s, offset_s=sample.offset_s + around_s)
        inside = event(times, wide)
        return ClipCrops(sample, times[inside], list(np.array(self.crops()[inside])))


def store(dataset: Dataset, cache: Path, workers: int | None = None) -> list[StoredClip]:
    """Bring the clips of `dataset` that are not in `cache` through all stages from track to spotted; all, in order.

    `workers` are processes (see `workers.run`), and change no bit. DataError lists the clips that cannot be read.
    """
    stages = realtime_config.load()
    sight = (landmarker_version(stages), cv2.__version__, stages.track, stages.align, align.TEMPLATE.tolist())
    folder = (cache / f"{dataset.name}-{digest('stored-clips', 2, *sight)}").resolve()
    detector = digest("told", 3, heads.spotter(stages).manifest.files[MODEL], _shaping(stages.spotter))
    samples = dataset.samples()
    clips = [
        StoredClip(case, sample, folder / f"{sample.id}-{digest(*dataset.made_of(sample))}", detector)
        for case, sample in zip(cases({dataset.name: samples}), samples, strict=True)
    ]
    missing = {clip.sample.id: clip for clip in clips if not (clip.pictures.exists() and clip.answers.exists())}
    if missing:
        run(partial(_serving, dataset, stages), missing, dataset.name, workers)
    return clips


def _shaping(spotter: SpotterConfig) -> dict[str, Any]:
    """The detector's settings; who names the apex, where that is not the network as it always was."""
    tree: dict[str, Any] = msgspec.to_builtins(spotter)
    return tree if tree["apex"] != "network" else {key: value for key, value in tree.items() if key != "apex"}


def key_of(labels: Sequence[str], at: Mapping[float, Iterable[StoredClip]]) -> str:
    """Changes with the pictures, moments, subjects and labels of clips at several rates."""
    clips = [(rate_hz, clip) for rate_hz, through in at.items() for clip in through]
    moments = [(hz, c.case, c.path.name, c.sample.onset_s, c.sample.apex_s, c.sample.offset_s) for hz, c in clips]
    return digest(labels, moments)


@contextmanager
def _serving(dataset: Dataset, stages: Config) -> Iterator[Callable[[StoredClip], None]]:
    landmarker, spotter = open_landmarker(stages), heads.spotter(stages)

    def serve(clip: StoredClip) -> None:
        if not clip.pictures.exists():
            _save(clip, face_crops(dataset.frames(clip.sample), stages, landmarker), stages)
        if not clip.answers.exists():
            with writing(clip.answers) as file:
                file.write(msgspec.json.encode(trace(clip.served(), stages.spotter, spotter)))

    yield serve
    landmarker.close()


def _save(clip: StoredClip, crops: Sequence[Crop], stages: Config) -> None:
    faces = np.array([(c.t, c.landmarks, c.matrix, (c.pose.yaw, c.pose.pitch, c.pose.roll)) for c in crops], FACE)
    side = stages.align.size_px
    save_array(clip.faces, faces)
    save_array(clip.pictures, np.stack([c.image for c in crops]) if crops else np.zeros((0, side, side, 3), np.uint8))
