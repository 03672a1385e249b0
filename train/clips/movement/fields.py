"""Displacement fields of stored clips, as the live process makes them, beside the clips in the cache.

Each frame is held against the one `LAG_S` before by the stage that serves (see `realtime.spotting.lagged_flow`), and
no annotation is looked at. Many clips begin with their onset: their faces are taken to have rested before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from realtime.records import Crop, Floats, Times
from realtime.representation.movement import motion
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.representation.movement.motion import Layout
from realtime.spotting.lagged_flow import LaggedFlow
from train.clips.prepare import save_array
from train.clips.stored import StoredClip
from train.datasets.annotation.sample import Sample
from train.storage.digest import digest
from train.storage.workers import ready, run

VERSION = 2  # of what is kept
AROUND_S = 0.5  # before the onset and after the offset: more is not needed to show a face without it


@dataclass(frozen=True, slots=True, eq=False)
class MovingClip:
    """One clip as fields, in memory: a second at 60 frames takes 190 kB."""

    sample: Sample  #: under the names of its case, which are unique over all data sets
    times: Times  #: (T,), rising
    fields: Floats  #: float16 (T, 2, S, S), outer eye distances


def moving(clips: Sequence[StoredClip], workers: int | None = None) -> list[MovingClip]:
    """The fields of `clips`; those that are not in the cache are made, by `workers` processes (see `workers.run`)."""
    paths = [_path(clip) for clip in clips]  # not by cases: a clip may be there through several cameras
    missing = {str(path): (clip, path) for clip, path in zip(clips, paths, strict=True) if not path.exists()}
    if missing:
        run(partial(ready, _keep), missing, "fields", workers)
    return [_load(clip, path) for clip, path in zip(clips, paths, strict=True)]


def displacements(crops: Sequence[Crop]) -> Floats:
    """How the face moved over the lag before each of `crops` (S, S): (T, 2, FIELD_PX, FIELD_PX), outer eye distances.

    Before the first of them it is taken to have stood still, which is what a clip that is cut at its onset leaves out.
    """
    found = np.zeros((len(crops), 2, FIELD_PX, FIELD_PX), np.float32)
    if not crops:
        return found
    flow = LaggedFlow(LAG_S, len(crops[0].image), pause_s=math.inf)
    flow.push(replace(crops[0], t=crops[0].t - LAG_S))
    for row, crop in zip(found, crops, strict=True):
        moved = flow.push(crop)
        if moved is not None:
            row[:] = moved[0].field
    return found


def exact(displacement: Floats, matrix: Floats, place: Layout) -> Floats:
    """What the live process would find if flow were perfect: (2, FIELD_PX, FIELD_PX), outer eye distances.

    `displacement` (H, W, 2) px of the frame says how far what each pixel showed at rest has moved, `matrix` (2, 3)
    takes frame pixels to the crop at rest (see `align`). The head's part is fitted and taken away, as it is live.
    """
    side = (place.size_px, place.size_px)
    moved = cv2.warpAffine(displacement, matrix, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    turned = np.asarray(moved @ matrix[:, :2].T, np.float32)
    return motion.field(turned, motion.head_fit(turned.reshape(-1, 2), place), place)


def _path(clip: StoredClip) -> Path:
    return clip.beside(f"{digest('fields', VERSION, LAG_S)}.fields.npy")


def _keep(task: tuple[StoredClip, Path]) -> None:
    clip, path = task
    save_array(path, displacements(clip.served()).astype(np.float16))


def _load(clip: StoredClip, path: Path) -> MovingClip:
    times, sample = clip.times(), clip.sample
    first, last = np.searchsorted(times, (sample.onset_s - AROUND_S, sample.offset_s + AROUND_S))
    fields = np.load(path, mmap_mode="r")[first:last]
    return MovingClip(clip.named, times[first:last], np.array(fields))
