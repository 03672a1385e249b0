"""Clips whose pictures and fields are looked at together: what serving sees of an event, and what training may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.records import Floats, Image, Times
from realtime.representation.apex_time import ApexTime
from realtime.representation.contract.event import EventFrames
from realtime.representation.movement.fields import mirrored
from train.clips.movement.fields import MovingClip, moving
from train.clips.stored import StoredClip


@dataclass(frozen=True, slots=True, eq=False)
class TimedClip(MovingClip):
    """A clip as fields, with the pictures of the same frames."""

    images: Image  #: uint8 (T, S, S, 3), RGB, on disk


def timed(clips: Sequence[StoredClip], workers: int | None = None) -> list[TimedClip]:
    """`clips` with their fields; what the cache lacks of these is made, see `moving`."""
    found = []
    for clip, moved in zip(clips, moving(clips, workers), strict=True):
        first = int(np.searchsorted(clip.times(), moved.times[0]))
        images = clip.crops()[first : first + len(moved.times)]
        found.append(TimedClip(moved.sample, moved.times, moved.fields, images))
    return found


def shown(
    clip: TimedClip, cut: tuple[Times, Floats, float], made: ApexTime, *, mirror: bool = False
) -> Mapping[str, Floats]:
    """What serving feeds the network with for these frames of `clip`, their fields and their apex: a row of each input.

    The picture is not mirrored with the fields: augmentation does that after it has seen it.
    """
    times, fields, apex_s = cut
    first = int(np.searchsorted(clip.times, times[0]))
    images = clip.images[first : first + len(times)]
    return made.of_event(EventFrames(times, images=images, fields=mirrored(fields) if mirror else fields), apex_s)
