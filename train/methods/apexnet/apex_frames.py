"""Which frame of a clip is taken for its apex: the coder's, the formula's, or the one that the live detector finds."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from realtime.records import Apex, Offset
from train.clips.stored import StoredClip
from train.methods.apexnet.apex_formula import find_apex
from train.methods.apexnet.config import ApexSource, Quang

log = logging.getLogger(__name__)


def choose(clips: Sequence[StoredClip], source: ApexSource, quang: Quang) -> dict[str, int]:
    """The apex frame of each case, counted from the clip's first; no label is looked at, and no other clip.

    Where the detector finds nothing, as in most clips that begin with their onset (it wants to see the face for a
    while first), the middle of the event is taken, and the log says how often.
    """
    if source == "annotation":
        return {clip.case.id: annotated(clip) for clip in clips}
    if source == "quang":
        return {clip.case.id: by_formula(clip, quang) for clip in tqdm(clips, "apex")}
    found = {clip.case.id: detected(clip) for clip in clips}
    lost = sum(frame is None for frame in found.values())
    if lost:
        log.warning("the detector finds no apex in %d of %d clips: their middle frame is taken", lost, len(clips))
    middles = {clip.case.id: clip.event()[len(clip.event()) // 2] for clip in clips}
    return {id: middles[id] if frame is None else frame for id, frame in found.items()}


def annotated(clip: StoredClip) -> int:
    """The frame of the event that is nearest to the coded apex."""
    return _nearest(clip, clip.sample.apex_s)


def by_formula(clip: StoredClip, quang: Quang) -> int:
    """The frame with the highest score of Quang et al. between onset and offset."""
    inside = clip.event()
    crops = clip.served()[inside.start : inside.stop]
    return inside[find_apex([crop.image for crop in crops], crops[0].landmarks, quang.lag_frames, quang.terms).index]


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


def _nearest(clip: StoredClip, t: float) -> int:
    inside, times = clip.event(), clip.times()
    return inside[int(np.abs(times[inside.start : inside.stop] - t).argmin())]
