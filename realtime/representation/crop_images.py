"""Aligned crops as pictures, each on its own: what the encoder sees of every frame, and others at an event's apex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import ClassVar

import cv2
import msgspec
import numpy as np

from realtime.records import Floats, Image
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec

Colour = tuple[float, float, float]  #: a number each for red, green and blue

IMAGES = "images"
#: Colour statistics of ImageNet, which the public checkpoints of these networks expect.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class CropImages(msgspec.Struct, frozen=True, tag="crop-images", forbid_unknown_fields=True):
    """Aligned crops as pictures, each on its own: float32 (B, 3, size, size), RGB, (x / 255 - mean) / std."""

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side that the network sees
    mean: Colour
    std: Colour

    fine: ClassVar[bool] = False
    every_frame: ClassVar[bool] = True

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The pictures."""
        shape = (-1, 3, self.size_px, self.size_px)
        return (TensorSpec(name=IMAGES, shape=shape, dtype="float32", layout="NCHW"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """The frame that is nearest to the apex."""
        nearest = int(np.abs(event.times - apex_s).argmin())
        return self.of_images([event.images[nearest]])

    def of_images(self, images: Sequence[Image]) -> dict[str, Floats]:
        """Crops uint8 (S, S, 3), such as those of all faces in a frame: a row each."""
        return {IMAGES: crop_images(images, self)}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size, whatever the encoder is."""
        return other_crops(self.crop_px, crop_px)

    def describe(self) -> str:
        """Sizes and statistics."""
        scale = f"(x / 255 - mean) / std of {list(self.mean)} and {list(self.std)}"
        return f"aligned crops of {self.crop_px} px, RGB, brought to {self.size_px} px, {scale}"


def crop_images(images: Sequence[Image], representation: CropImages) -> Floats:
    """uint8 (S, S, 3) crops -> float32 (B, 3, size, size)."""
    size, numbers = representation.size_px, _numbers(representation.mean, representation.std)
    batch = np.empty((len(images), 3, size, size), np.float32)
    for row, image in zip(batch, images, strict=True):
        seen = image if image.shape[0] == size else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        row[...] = cv2.LUT(seen, numbers).transpose(2, 0, 1)
    return batch


@cache
def _numbers(mean: Colour, std: Colour) -> Floats:
    """float32 (1, 256, 3): what each level of red, green and blue is to the network."""
    scale = np.float32(1) / (np.float32(255) * np.asarray(std, np.float32))
    shift = np.asarray(mean, np.float32) / np.asarray(std, np.float32)
    return np.asarray(np.arange(256, dtype=np.float32)[None, :, None] * scale - shift, np.float32)
