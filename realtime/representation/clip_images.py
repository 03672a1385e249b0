"""An event as a clip: pictures from its first frame to its last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats, Image
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages, crop_images

CLIPS = "clips"


class ClipImages(msgspec.Struct, frozen=True, tag="clip-images", forbid_unknown_fields=True):
    """Pictures of an event from its first frame to its last: float32 (B, 3, frames, size, size)."""

    frames: int
    picture: CropImages  #: each of them

    fine: ClassVar[bool] = False
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The clip, time behind colour."""
        shape = (-1, 3, self.frames, self.picture.size_px, self.picture.size_px)
        return (TensorSpec(name=CLIPS, shape=shape, dtype="float32", layout="NCTHW"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Frames of the whole event, see `first_to_last`; the apex is not looked at."""
        images = event.images
        return self.of_images([images[i] for i in first_to_last(len(images), self.frames)])

    def of_images(self, images: Sequence[Image]) -> dict[str, Floats]:
        """The crops uint8 (S, S, 3) that were chosen, as one clip."""
        return {CLIPS: np.ascontiguousarray(crop_images(images, self.picture).swapaxes(0, 1)[None])}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """What does not fit its pictures."""
        return self.picture.misfits(encoder, crop_px)

    def describe(self) -> str:
        """How many frames, and what each is."""
        return f"{self.frames} frames from the event's first to its last: {self.picture.describe()}"


def first_to_last(length: int, frames: int) -> list[int]:
    """`frames` indices from the first to the last of `length` frames, evenly; repeated where there are fewer.

    (Test clips of Jiang et al. 2020, arXiv 2008.05924, whose frames are picked and not interpolated.)
    """
    if length < 1:
        raise ValueError(f"an event of {length} frames has none to pick; at least 1 is needed")
    return [round(i * (length - 1) / max(frames - 1, 1)) for i in range(frames)]
