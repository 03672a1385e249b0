"""When the apex of a clip is: as its coder says, by the formula, or as the live detector finds it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from realtime.records import Apex, Offset
from train.clips.stored import StoredClip
from train.methods.apexnet.apex_formula import find_apex
from train.methods.apexnet.config import ApexSource, Quang
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import ready, run

log = logging.getLogger(__name__)

VERSION = 1  # of what is kept


def choose(clips: Sequence[StoredClip], source: ApexSource, quang: Quang, workers: int | None = None) -> list[float]:
    """The apex of each clip in seconds; no label is looked at, and no other clip.

    The formula takes a while: what it finds is kept beside the clip, and `workers` processes look for what is missing
    (see `workers.run`).
    """
    if source == "annotation":
        return [clip.sample.apex_s for clip in clips]
    frames = _by_formula(clips, quang, workers) if source == "quang" else _by_detector(clips)
    return [float(clip.times()[frame]) for clip, frame in zip(clips, frames, strict=True)]


def by_formula(clip: StoredClip, quang: Quang) -> int:
    """The frame with the highest score of Quang et al. between onset and offset."""
    inside = clip.event()
    crops = clip.served()[inside.start : inside.stop]
    return inside[find_apex([crop.image for crop in crops], crops[0].landmarks, quang.lag_frames, quang.terms)]


def detected(clip: StoredClip) -> int | None:
    """The frame of the event that is nearest to the strongest apex which the live detector tells; None without one."""
    trace = clip.trace()
    last: dict[int, Apex | Offset] = {apex.event: apex for _, apex in trace.apexes}
    last |= {offset.event: offset for _, offset in trace.offsets}
    sure = [moment for moment in last.values() if isinstance(moment, Apex) or moment.kind or moment.reason == "lost"]
    if not sure:
        return None
    strongest = max(sure, key=lambda moment: moment.strength)
    return _nearest(clip, strongest.t if isinstance(strongest, Apex) else strongest.apex)


def _by_formula(clips: Sequence[StoredClip], quang: Quang, workers: int | None) -> list[int]:
    paths = [_path(clip, quang) for clip in clips]
    missing = {
        f"{clip.case.id} of {path.parent.name}": (clip, path)
        for clip, path in zip(clips, paths, strict=True)
        if not path.exists()
    }
    if missing:
        run(partial(ready, partial(_keep, quang)), missing, "apexes", workers)
    return [msgspec.json.decode(path.read_bytes(), type=int) for path in paths]


def _path(clip: StoredClip, quang: Quang) -> Path:
    made = digest("apex", VERSION, quang, clip.sample.onset_s, clip.sample.offset_s)
    return clip.beside(f"{made}.apex.json")


def _keep(quang: Quang, task: tuple[StoredClip, Path]) -> None:
    clip, path = task
    frame = by_formula(clip, quang)
    with writing(path) as file:
        file.write(msgspec.json.encode(frame))


def _by_detector(clips: Sequence[StoredClip]) -> list[int]:
    """Where it finds nothing, the middle of the event is taken, and the log says how often.

    So it is in most clips that begin with their onset: it wants to see the face for a while first.
    """
    found = [detected(clip) for clip in clips]
    lost = found.count(None)
    if lost:
        log.warning("the detector finds no apex in %d of %d clips: their middle frame is taken", lost, len(clips))
    return [_middle(clip) if frame is None else frame for clip, frame in zip(clips, found, strict=True)]


def _middle(clip: StoredClip) -> int:
    return clip.event()[len(clip.event()) // 2]


def _nearest(clip: StoredClip, t: float) -> int:
    inside, times = clip.event(), clip.times()
    return inside[int(np.abs(times[inside.start : inside.stop] - t).argmin())]
