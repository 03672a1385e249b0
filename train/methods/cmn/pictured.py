"""Clips whose pictures an encoder that is trained along looks at, and what a frozen one made of their frames.

The frozen one is g of CN115049957A: the encoder as it begins. Its distances choose the negatives, whatever the other
one has become; and its embeddings say how strong the projector's first inputs are.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from realtime.records import Floats, Image, Times
from realtime.representation.crop_images import CropImages, crop_images
from train.clips.clip import event
from train.clips.embeddings import EmbeddedClip
from train.clips.prepare import save_array
from train.clips.stored import StoredClip
from train.storage.digest import digest

log = logging.getLogger(__name__)

CHUNK = 32  # pictures that go through the frozen encoder at once


@dataclass(frozen=True, slots=True, eq=False)
class PicturedClip(EmbeddedClip):
    """Its `clean` is of the frozen encoder, of no width where nobody asks for it; `views` are drawn in each step."""

    images: Image  #: uint8 (T, S, S, 3), on disk


def pictured(clips: Sequence[StoredClip], around_s: float) -> list[PicturedClip]:
    """The events and what lies up to `around_s` around them; no picture is read."""
    return [_pictured(clip, around_s) for clip in clips]


def looked_at(clip: PicturedClip, frozen: nn.Module, made_by: str, picture: CropImages, cache: Path) -> PicturedClip:
    """`clip` with what `frozen`, which is known by `made_by`, makes of its frames; kept in `cache`."""
    pixels = hashlib.sha256(np.ascontiguousarray(clip.images).tobytes()).hexdigest()
    path = cache / f"frozen-{digest('frozen', 1, clip.sample.id, pixels, made_by, picture)}.npy"
    if not path.exists():
        log.info("looks at %s: %d frames", clip.sample.id, len(clip.times))
        save_array(path, _embedded(clip.images, frozen, picture))
    clean = np.load(path)
    return replace(clip, clean=clean, views=np.zeros((0, *clean.shape), np.float32))


def _pictured(clip: StoredClip, around_s: float) -> PicturedClip:
    sample, times = clip.named, clip.times()
    inside = event(times, replace(sample, onset_s=sample.onset_s - around_s, offset_s=sample.offset_s + around_s))
    seen: Times = times[inside]
    nothing = np.zeros((len(seen), 0), np.float32)
    return PicturedClip(sample, seen, nothing, nothing[None], clip.crops()[inside])


@torch.no_grad()
def _embedded(images: Image, frozen: nn.Module, picture: CropImages) -> Floats:
    parts = [images[begin : begin + CHUNK] for begin in range(0, len(images), CHUNK)]
    made = [frozen.embed(torch.from_numpy(crop_images(list(part), picture))) for part in parts]  # type: ignore[operator]
    return np.asarray(torch.cat(made).numpy(), np.float32)
