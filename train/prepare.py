"""Datasets -> the pictures that the live process would see, in a cache keyed by everything that shaped it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from realtime import align
from realtime import config as realtime_config
from realtime.quality import bounding_box, head_pose, quality
from realtime.records import Face, Frame, Image
from realtime.track import Landmarker, MediaPipe
from train.config import digest
from train.datasets import ferplus

#: FER-2013's faces fill their 48 px; the detector wants them larger and with something around.
ENLARGE, MARGIN = 4, 64


def ferplus_crops(
    path: Path, split: str, crop_px: int, size_px: int, cache: Path, progress: Iterable[int] | None = None
) -> tuple[npt.NDArray[np.uint8], ferplus.FerPlus]:
    """Grey crops uint8 (N, size, size) of a FER+ split, made by the serving stages, and the split itself."""
    data = ferplus.load(path, split)
    stages = realtime_config.load()
    key = digest(
        "ferplus-crops", 1, path.stat().st_size, split, crop_px, size_px, stages.track, align.TEMPLATE.tolist()
    )
    target = cache / f"ferplus-{split}-{key}.npy"
    if not target.exists():
        landmarker = MediaPipe(stages.track, still=True)
        rows = progress if progress is not None else range(len(data))
        crops = np.stack([_shrink(still_crop(data.image(i), landmarker, crop_px), size_px) for i in rows])
        landmarker.close()
        save_array(target, crops)
    return np.load(target, mmap_mode="r"), data


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
    points = found[0]
    box, pose = bounding_box(points), head_pose(points)
    face = Face(1, 0.0, box, points, pose, quality(padded, points, box, pose))
    return align.crop(Frame(padded, 0.0, 0, 0, 0.0), face, align.similarity(points, crop_px), crop_px).image


def save_array(target: Path, array: npt.NDArray[np.generic]) -> None:
    """Write `array` to a temporary file and move it into place, so that a killed run leaves no half file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.save(file, array)
    unfinished.replace(target)


def _shrink(image: Image, size_px: int) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
