"""Which frames and moments of a moving clip an epoch shows: cut as a detector might have, or where nothing happens."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator

from realtime.records import Floats, Times
from train.clips.clip import Timed, event
from train.clips.movement.fields import MovingClip
from train.clips.takes import jittered
from train.config.sections import Early

FEWEST_RESTING = 4  # frames without an event that are worth showing


def cut(clip: MovingClip, jitter_s: float, early: Early, generator: Generator) -> tuple[Times, Floats, float]:
    """Times (T,) and fields (T, 2, S, S) of an event from about its onset on, and its apex.

    `early` says how many end soon after the apex, as those do that an early answer judges.
    """
    sample = jittered(clip.sample, clip.times, jitter_s, generator)
    share, place, away = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    inside = event(clip.times, sample)
    times, fields = clip.times[inside], clip.fields[inside]
    apex = float(np.clip(sample.apex_s + jitter_s * (2 * away - 1), times[0], times[-1]))
    if share < early.share:
        seen = apex + early.after_s[0] + place * (early.after_s[1] - early.after_s[0])
        last = max(int(np.searchsorted(times, seen, "right")), 1)
        times, fields = times[:last], fields[:last]
    return times, fields, apex


def bent(wanted: Times, onset: float, most: float, generator: Generator) -> Times:
    """Moments (N,) moved between the onset and their last one: some rise faster at first, some later."""
    exponent = math.exp(most * (2 * float(torch.rand((), generator=generator)) - 1))
    length = wanted[-1] - onset
    return wanted if length <= 0.0 else np.asarray(onset + length * ((wanted - onset) / length) ** exponent)


def rests(clip: Timed) -> list[slice]:
    """The frames before the onset and those after the offset, where there are enough."""
    inside = event(clip.times, clip.sample)
    spans = [slice(0, inside.start), slice(inside.stop, len(clip.times))]
    return [span for span in spans if span.stop - span.start >= FEWEST_RESTING]
