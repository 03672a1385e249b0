"""An event's frame midway between onset and apex: what a network of the apex is held against that sees no apex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats, Times
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages


class MiddleImage(msgspec.Struct, frozen=True, tag="middle-image", forbid_unknown_fields=True):
    """The picture midway between an event's onset and its apex: float32 (B, 3, size, size).

    Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003, table 4) show it in place of the apex, to find what
    the apex is worth.
    """

    picture: CropImages

    fine: ClassVar[bool] = False
    every_frame: ClassVar[bool] = False

    @property
    def size_px(self) -> int:
        """The side that the network sees."""
        return self.picture.size_px

    def inputs(self) -> tuple[TensorSpec, ...]:
        """That of its picture."""
        return self.picture.inputs()

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Its onset is the event's first frame."""
        return self.picture.of_images([event.images[middle(event.times, apex_s)]])

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """What does not fit its picture."""
        return self.picture.misfits(encoder, crop_px)

    def describe(self) -> str:
        """Which frame, and what it is."""
        return f"the frame midway between onset and apex: {self.picture.describe()}"


def middle(times: Times, apex_s: float) -> int:
    """The frame of `times` (T,), from the onset on, that is nearest to the middle of the rise."""
    return int(np.abs(times - (times[0] + apex_s) / 2).argmin())
