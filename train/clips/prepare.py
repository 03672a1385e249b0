"""Datasets -> the pictures that the live process would see, in a cache keyed by everything that shaped it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from realtime import config as realtime_config
from realtime.capture.source import open_source
from realtime.config import Config
from realtime.demo import truth
from realtime.engine.landmarker import open_landmarker, sight
from realtime.faces import align
from realtime.faces.align import Aligner
from realtime.faces.track import Landmarker, Tracker, measured
from realtime.records import Crop, Frame, Image, Times
from train.datasets import ferplus
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run

#: FER-2013's faces fill their 48 px; the detector wants them larger and with something around.
ENLARGE, MARGIN = 4, 64
STILLS = 64  # that are one task: each is quickly done


def ferplus_crops(
    path: Path, split: str, crop_px: int, size_px: int, cache: Path, workers: int | None = None
) -> tuple[npt.NDArray[np.uint8], ferplus.FerPlus]:
    """Grey crops uint8 (N, size, size) of a FER+ split, made by the serving stages, and the split itself.

    `workers` are processes (see `workers.run`), and change no bit.
    """
    data = ferplus.load(path, split)
    stages = realtime_config.load()
    key = digest(
        "ferplus-crops", 1, path.stat().st_size, split, crop_px, size_px, *sight(stages), align.TEMPLATE.tolist()
    )
    target = cache / f"ferplus-{split}-{key}.npy"
    if not target.exists():
        parts = np.array_split(np.arange(len(data)), -(-len(data) // STILLS))
        tasks = {f"pictures {rows[0]} to {rows[-1]}": rows for rows in parts}
        opening = partial(_cutting, path, split, crop_px, size_px, stages)
        save_array(target, np.concatenate(run(opening, tasks, f"FER+ {split}", workers)))
    return np.load(target, mmap_mode="r"), data


@contextmanager
def _cutting(
    path: Path, split: str, crop_px: int, size_px: int, stages: Config
) -> Iterator[Callable[[Iterable[int]], Image]]:
    data, landmarker = ferplus.load(path, split), open_landmarker(stages, still=True)
    yield lambda rows: np.stack([_shrink(still_crop(data.image(i), landmarker, crop_px), size_px) for i in rows])
    landmarker.close()


def serve(frames: Iterable[Frame], stages: Config, landmarker: Landmarker) -> tuple[Times, list[Image]]:
    """Times and pictures of `face_crops`."""
    crops = face_crops(frames, stages, landmarker)
    return np.array([crop.t for crop in crops], np.float64), [crop.image for crop in crops]


def face_crops(frames: Iterable[Frame], stages: Config, landmarker: Landmarker) -> list[Crop]:
    """The crops of the first face in `frames`, exactly as the live process makes them."""
    landmarker.restart()
    tracker, aligner = Tracker(stages.track, landmarker), Aligner(stages.align)
    return [
        crop for frame in frames for face in tracker.push(frame) if face.id == 1 for crop in aligner.push((frame, face))
    ]


def sample_crops(count: int) -> list[Image]:
    """`count` crops of the bundled sample stream, a tenth of a second apart: golden inputs that may be passed on."""
    stages = realtime_config.load()
    landmarker = open_landmarker(stages)
    source = open_source(str(truth.VIDEO), stages.source, fast=True)
    every = round(source.rate_hz / 10)
    _, crops = serve(itertools.islice(source.frames(), count * every), stages, landmarker)
    source.close()
    landmarker.close()
    return crops[::every]


def still_crop(image: Image, landmarker: Landmarker, crop_px: int) -> Image:
    """The canonical crop (crop_px, crop_px, 3) of a tightly cut face picture.

    Where no face is found (4 % of FER+) the picture itself is the crop: the template
    of `align` is the median framing of these pictures.
    """
    side = image.shape[0] * ENLARGE
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    padded = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE).astype(np.uint8)
    found = landmarker.find(padded, 1)
    if not found:
        return cv2.resize(large, (crop_px, crop_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
    frame = Frame(padded, 0.0, 0, 0, 0.0)
    matrix = align.similarity(found[0], crop_px)
    return align.crop(frame, measured(frame, 1, found[0]), matrix, crop_px).image


def save_array(target: Path, array: npt.NDArray[np.generic]) -> None:
    """Write `array` as `target`, in numpy's format."""
    with writing(target) as file:
        np.save(file, array)


def _shrink(image: Image, size_px: int) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
