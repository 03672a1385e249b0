"""What a network sees of an event: one picture, or its onset, its apex and what changed in between.

Training and serving see the same, but that training changes it at random, and for that needs it in [0, 1].
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import torch
from torch import Generator, Tensor

from realtime.records import Floats, Image, Times
from realtime.representation.apex_change import ApexChange, apex_pair
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGES, CropImages, crop_images
from realtime.representation.middle_image import MiddleImage, middle
from realtime.representation.movement.change import changed
from train.methods.apexnet.config import PairAugment
from train.methods.apexnet.pairs import Filmed, Moments
from train.training import augment

Made = CropImages | MiddleImage | ApexChange

DARK, BRIGHT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # statistics that leave colours in [0, 1], as augmentation wants them


def shown(clip: Filmed, at: Moments, end: float, made: Made) -> Floats:
    """What serving feeds the network with for an event of these moments that is over at `end`: (1, 3, S, S)."""
    times, images = clip.between(at[0], end)
    return made.of_event(EventFrames(times, images=images), at[1])[IMAGES]


def seen(clip: Filmed, at: Moments, end: float, made: Made) -> Floats:
    """The same in [0, 1], for `varied`: one picture in colour, (3, S, S), or onset and apex in grey, (2, S, S).

    A moved apex may lie behind the offset: what changed is then that frame's, alone the event's last one is shown.
    """
    if isinstance(made, ApexChange):
        return apex_pair(*clip.between(at[0], math.inf), at[1], made)
    times, images = clip.between(at[0], end)
    if isinstance(made, MiddleImage):
        return _bright(images[middle(times, at[1])], made.picture)
    return _bright(apex_of(times, images, at[1]), made)


def varied(x: Tensor, a: PairAugment, made: Made, generator: Generator) -> Tensor:
    """What `seen` gives of each event -> (B, 3, S, S), as other cameras might have shown it to the network."""
    if isinstance(made, ApexChange):
        x = augment.pairs(x, a.turn_deg, a.scale, a.shift, a.slip, generator)
        x = augment.noise(augment.light(x, a.light, generator), a.noise, generator)
        return torch.from_numpy(changed(x.numpy(), made.gain)).contiguous(memory_format=torch.channels_last)
    x = augment.similarity(x, a.turn_deg, a.scale, a.shift, generator)
    x = augment.grey(x, a.grey_probability, generator)
    if a.light or a.tint:
        x = augment.tint(x, a.light, a.tint, generator)
    if a.noise:
        x = augment.noise(x, a.noise, generator)
    return augment.standardise(x.clamp(0.0, 1.0))


def apex_of(times: Times, images: Image, apex_s: float) -> Image:
    """The frame uint8 (S, S, 3) that is nearest to the apex."""
    return np.array(images[int(np.abs(times - apex_s).argmin())])


def _bright(image: Image, made: CropImages) -> Floats:
    """One crop in [0, 1]: (3, S, S)."""
    picture: Floats = crop_images([np.array(image)], msgspec.structs.replace(made, mean=DARK, std=BRIGHT))[0]
    return picture
