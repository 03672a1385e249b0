"""An event as a clip of any length: all its frames in grey, up to so many, and which of the places are frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import cv2
import msgspec
import numpy as np

from realtime.records import Floats, Image
from realtime.representation.clip_images import CLIPS, first_to_last
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.change import LUMA

THERE = "there"


class GreyClip(msgspec.Struct, frozen=True, tag="grey-clip", forbid_unknown_fields=True):
    """Frames of an event, float32 (B, 1, frames, size, size) in [0, 1], and which there are: float32 (B, frames).

    An event of no more than `frames` is shown whole, whatever its length and the camera's rate, and the places behind
    it repeat its last frame, with 0 in the second input where frames have 1. Of a longer one as many are picked, see
    `first_to_last`. Graphs have fixed shapes; a network that leaves out what has 0 sees events of any length.
    """

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side that the network sees
    frames: int  #: at most

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The clip, time behind the one colour, and a number for each of its places."""
        shape = (-1, 1, self.frames, self.size_px, self.size_px)
        return (
            TensorSpec(name=CLIPS, shape=shape, dtype="float32", layout="NCTHW"),
            TensorSpec(name=THERE, shape=(-1, self.frames), dtype="float32", layout="NT"),
        )

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Frames of the whole event, as far as it has been seen; the apex is not looked at."""
        images = event.images
        shown = range(len(images)) if len(images) <= self.frames else first_to_last(len(images), self.frames)
        clip = np.empty((1, 1, self.frames, self.size_px, self.size_px), np.float32)
        for place, i in enumerate(shown):
            clip[0, 0, place] = grey_picture(images[i], self.size_px)
        clip[0, 0, len(shown) :] = clip[0, 0, len(shown) - 1]
        return {CLIPS: clip, THERE: np.asarray(np.arange(self.frames)[None] < len(shown), np.float32)}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size, whatever the encoder is."""
        return other_crops(self.crop_px, crop_px)

    def describe(self) -> str:
        """How many frames, what each is, and what stands behind a short event."""
        return (
            f"all frames of an event, or {self.frames} of them from the first to the last where it has more, each an "
            f"aligned crop of {self.crop_px} px, grey, brought to {self.size_px} px, from 0 to 1; and 1 for every "
            "frame, 0 for what repeats the last one where it has fewer"
        )


def grey_picture(image: Image, size_px: int) -> Floats:
    """A crop uint8 (S, S, 3) -> its brightness, float32 (size, size) in [0, 1]."""
    bright = image.astype(np.float32) @ LUMA / 255
    return np.asarray(cv2.resize(bright, (size_px, size_px), interpolation=cv2.INTER_AREA), np.float32)
