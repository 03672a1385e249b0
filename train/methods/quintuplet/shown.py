"""What the branches are shown of events in training: pictures and flow of one cut, moved alike, in other light."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import torch
from torch import Generator, Tensor

from realtime.records import Floats
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.clip_images import first_to_last
from realtime.representation.crop_images import CropImages, crop_images
from train.clips.movement.flowing import Ends, FlowingClip
from train.methods.quintuplet.config import ModesAugment
from train.training.augment import moved_clips, moved_flows, similarities, standardise, tint, uniform

DARK, BRIGHT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # statistics that leave colours in [0, 1], as augmentation wants them

Cut = tuple[FlowingClip, Ends]


def both(cuts: Sequence[Cut], made: ClipAndFlow, augment: ModesAugment, generator: Generator) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, T, S, S), standardised, and flow (B, 2, T', S', S') of each cut."""
    theta = similarities(len(cuts), augment.turn_deg, augment.scale, augment.shift, generator)
    pictures = torch.from_numpy(np.stack([_pictures(cut, made) for cut in cuts]))
    flow = torch.from_numpy(np.stack([clip.flow(span, made.flow.scales[0]) for clip, span in cuts]))
    gain = uniform(-augment.gain, augment.gain, (len(cuts), 1, 1, 1, 1), generator).exp()
    return lit(moved_clips(pictures, theta), augment, generator), gain * moved_flows(flow, theta)


def lit(x: Tensor, augment: ModesAugment, generator: Generator) -> Tensor:
    """Clips (B, 3, T, S, S) in [0, 1] in other light, the same for all pictures of one; standardised."""
    long = x.flatten(2, 3)  # pictures of a clip below each other
    if augment.light or augment.tint:
        long = tint(long, augment.light, augment.tint, generator)
    return standardise(long.clamp(0.0, 1.0)).contiguous().view(x.shape)


def bright(made: CropImages) -> CropImages:
    """The same pictures in [0, 1]."""
    return msgspec.structs.replace(made, mean=DARK, std=BRIGHT)


def _pictures(cut: Cut, made: ClipAndFlow) -> Floats:
    clip, (begin, end) = cut
    inside = np.flatnonzero((clip.times >= begin) & (clip.times <= end))
    chosen = [clip.images[inside[i]] for i in first_to_last(len(inside), made.clip.frames)]
    return np.asarray(crop_images(chosen, bright(made.clip.picture)).swapaxes(0, 1))
