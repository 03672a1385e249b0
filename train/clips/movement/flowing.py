"""Clips as flow between frames that follow each other, kept beside the pictures in the cache.

Found once for a whole clip, from its first frame on; what an epoch shows is cut from it and stretched to any number of
steps. Tests and serving find it anew from the event's first frame, so that there pairs may begin with other frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Generator

from realtime.records import Floats, Image, Times
from realtime.representation.contract.event import EventFrames
from realtime.representation.flow_clip import FlowClip, consecutive, stretched
from train.clips.clip import event
from train.clips.movement.sequences import rests
from train.clips.prepare import save_array
from train.clips.stored import StoredClip
from train.clips.takes import jittered
from train.config.sections import Early
from train.datasets.annotation.sample import Sample
from train.storage.digest import digest
from train.storage.workers import ready, run

VERSION = 1  # of what is kept
UNBOUNDED = 1 << 30  # pairs: what a long event leaves out, its clip may keep

Ends = tuple[float, float]  #: of the first frame that is shown and of the last, seconds


@dataclass(frozen=True, slots=True, eq=False)
class FlowingClip:
    """One clip: a second takes 270 kB of a disk on a grid of 32, and no memory."""

    sample: Sample  #: under the names of its case, which are unique over all data sets
    times: Times  #: (T,), rising
    images: Image  #: uint8 (T, S, S, 3), RGB, on disk
    landmarks: Floats  #: float32 (468, 2), crop pixels, of the first frame of the event
    middles: Times  #: (P,), rising
    speeds: Floats  #: float16 (P, 2, size, size), on disk: see `flow_clip.consecutive`

    def flow(self, span: Ends, steps: int) -> Floats:
        """What was found between the frames of `span`, at least the nearest, as (2, steps, size, size)."""
        begin, end = span
        inside = np.flatnonzero((self.middles >= begin) & (self.middles <= end))
        if not len(inside):
            inside = np.abs(self.middles - (begin + end) / 2).argmin()[None]
        part = slice(inside[0], inside[-1] + 1)
        return stretched(self.middles[part], np.asarray(self.speeds[part], np.float32), begin, end, steps)

    def seen(self, after_s: float = math.inf) -> EventFrames:
        """What serving sees at the event's end, or `after_s` after its apex."""
        first, last = _bounds(self.times, self.sample, after_s)
        return EventFrames(self.times[first:last], images=self.images[first:last])

    def resting(self) -> list[EventFrames]:
        """What it would see if the detector took a face at rest for an event: before it and after it."""
        return [EventFrames(self.times[span], images=self.images[span]) for span in rests(self)]


def flowing(clips: Sequence[StoredClip], made: FlowClip, workers: int | None = None) -> list[FlowingClip]:
    """The flow of `clips`; what the cache lacks is made, by `workers` processes (see `workers.run`)."""
    paths = [clip.beside(f"{_key(made)}.flow.npy") for clip in clips]
    missing = {str(path): (clip, path) for clip, path in zip(clips, paths, strict=True) if not path.exists()}
    if missing:
        run(partial(ready, partial(_keep, made)), missing, "flow", workers)
    return [_load(clip, path) for clip, path in zip(clips, paths, strict=True)]


def drawn(clip: FlowingClip, jitter_s: float, early: Early, generator: Generator) -> Ends:
    """An event as one run of the detector might have cut it.

    `early` says how many end soon after the apex, as those do that an early answer judges.
    """
    sample = jittered(clip.sample, clip.times, jitter_s, generator)
    share, place = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    after_s = early.after_s[0] + place * (early.after_s[1] - early.after_s[0]) if share < early.share else math.inf
    first, last = _bounds(clip.times, sample, after_s)
    return float(clip.times[first]), float(clip.times[last - 1])


def at_rest(clip: FlowingClip, generator: Generator) -> Ends:
    """Part of one of the stretches in which nothing happens; the clip has at least one."""
    spans = rests(clip)
    times = clip.times[spans[int(torch.randint(len(spans), (), generator=generator))]]
    first, last = torch.rand(2, generator=generator, dtype=torch.float64).sort().values.tolist()
    return float(times[0] + first * (times[-1] - times[0])), float(times[0] + last * (times[-1] - times[0]))


def _bounds(times: Times, sample: Sample, after_s: float) -> tuple[int, int]:
    """The event's first frame, and the one behind its last, which is no later than `after_s` after its apex."""
    inside = event(times, sample)
    seen = int(np.searchsorted(times, sample.apex_s + after_s, side="right"))
    return inside.start, min(max(seen, inside.start + 1), inside.stop)


def _key(made: FlowClip) -> str:
    return digest("flow", VERSION, made.size_px, made.pair_s)


def _keep(made: FlowClip, task: tuple[StoredClip, Path]) -> None:
    clip, path = task
    times = clip.times()
    middles, speeds = consecutive(times, clip.crops(), msgspec.structs.replace(made, pairs=UNBOUNDED))
    rows = np.empty(len(middles), [("t", "f8"), ("speed", "f2", speeds.shape[1:])])
    rows["t"], rows["speed"] = middles, speeds
    save_array(path, rows)


def _load(clip: StoredClip, path: Path) -> FlowingClip:
    rows, first = np.load(path, mmap_mode="r"), clip.event().start
    landmarks = np.array(np.load(clip.faces, mmap_mode="r")["landmarks"][first])
    return FlowingClip(clip.named, clip.times(), clip.crops(), landmarks, np.array(rows["t"]), rows["speed"])
