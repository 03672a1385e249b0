"""Displacement fields of stored clips, as the motion stage makes them of an event, beside the clips in the cache.

Live, a frame of an event is held against a picture from before its onset. In short clips the detector itself has not
yet seen enough of rest to open one, so here the annotated onset says which pictures may be the reference; everything
else is the live stages' own. They depend on the onset, and are kept by it, and made where a method asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from realtime import config as realtime_config
from realtime import motion
from realtime.apex import STILL, Reference
from realtime.config import Config
from realtime.fields import Times
from realtime.motion import Flow, Layout, layout, measure
from realtime.records import Crop, Floats
from train.config import digest
from train.datasets.sample import Sample
from train.prepare import save_array
from train.stored import StoredClip
from train.workers import run

VERSION = 1  # of what is kept
AROUND_S = 0.5  # before the onset and after the offset: more is not needed to show a face at rest


@dataclass(frozen=True, slots=True, eq=False)
class MovingClip:
    """One clip as fields, in memory: a second at 60 frames takes 190 kB."""

    sample: Sample  #: under the names of its case, which are unique over all data sets
    times: Times  #: (T,), rising
    fields: Floats  #: float16 (T, 2, S, S), outer eye distances


def moving(clips: Sequence[StoredClip], workers: int | None = None) -> list[MovingClip]:
    """The fields of `clips`; those that are not in the cache are made, by `workers` processes (see `workers.run`)."""
    stages = realtime_config.load()
    paths = {clip.case.id: _path(clip, stages) for clip in clips}
    missing = {clip.case.id: (clip, paths[clip.case.id]) for clip in clips if not paths[clip.case.id].exists()}
    if missing:
        run(partial(_comparing, stages), missing, "fields", workers)
    return [_load(clip, paths[clip.case.id]) for clip in clips]


def displacements(crops: Sequence[Crop], onset_s: float, stages: Config) -> Floats:
    """What the motion stage makes of `crops` (S, S) whose event begins at `onset_s`: (T, 2, FIELD_PX, FIELD_PX)."""
    reference, flow = Reference(stages.motion), Flow()
    place = layout(stages.align.size_px if not crops else len(crops[0].image))
    found = []
    for crop in crops:
        picture, kept = motion.grey(crop.image), reference.at(crop.t)
        if kept is None or crop.t <= onset_s:
            reference.offer(crop.t, picture, crop.pose)
        seen = None if kept is None else measure(crop.t, flow(kept[0], picture), place, stages.motion.top)
        found.append(STILL if seen is None else seen.field)
    return np.stack(found) if found else np.zeros((0, *STILL.shape), np.float32)


def exact(displacement: Floats, matrix: Floats, place: Layout) -> Floats:
    """What the motion stage would find if flow were perfect: (2, FIELD_PX, FIELD_PX), outer eye distances.

    `displacement` (H, W, 2) px of the frame says how far what each pixel showed at rest has moved, `matrix` (2, 3)
    takes frame pixels to the crop at rest (see `align`). The head's part is fitted and taken away, as it is live.
    """
    side = (place.size_px, place.size_px)
    moved = cv2.warpAffine(displacement, matrix, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    turned = np.asarray(moved @ matrix[:, :2].T, np.float32)
    return motion.field(turned, motion.head_fit(turned.reshape(-1, 2), place), place)


def _path(clip: StoredClip, stages: Config) -> Path:
    made = digest("fields", VERSION, stages.motion, clip.sample.onset_s)
    return clip.path.with_name(f"{clip.path.name}.{made}.fields.npy")


@contextmanager
def _comparing(stages: Config) -> Iterator[Callable[[tuple[StoredClip, Path]], None]]:
    def keep(task: tuple[StoredClip, Path]) -> None:
        clip, path = task
        save_array(path, displacements(clip.served(), clip.sample.onset_s, stages).astype(np.float16))

    yield keep


def _load(clip: StoredClip, path: Path) -> MovingClip:
    times, sample = clip.times(), clip.sample
    first, last = np.searchsorted(times, (sample.onset_s - AROUND_S, sample.offset_s + AROUND_S))
    fields = np.load(path, mmap_mode="r")[first:last]
    named = replace(sample, id=clip.case.id, subject=clip.case.subject)
    return MovingClip(named, times[first:last], np.array(fields))
