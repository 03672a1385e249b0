"""An event's onset, its apex, and what changed between them: see `change`, which brings one upon the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats, Times
from realtime.representation.contract.event import Images, SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import IMAGES
from realtime.representation.movement.change import changed, mean_grey, upon


class ApexChange(msgspec.Struct, frozen=True, tag="apex-change", forbid_unknown_fields=True):
    """An event's onset, its apex, and what changed between them, in grey: float32 (B, 3, size, size).

    See `change`. Who somebody is, both pictures show alike: what changed is left.
    """

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side that the network sees
    around_s: float  #: frames so near to either moment are averaged: fast cameras lose their noise
    gain: float  #: of the change, when pictures go from -2 to 2

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """Three pictures where others have colours."""
        shape = (-1, 3, self.size_px, self.size_px)
        return (TensorSpec(name=IMAGES, shape=shape, dtype="float32", layout="NCHW"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Its onset is the event's first frame."""
        pair = apex_pair(event.times, event.images, apex_s, self)
        return {IMAGES: changed(pair[None], self.gain)}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size, whatever the encoder is."""
        return other_crops(self.crop_px, crop_px)

    def describe(self) -> str:
        """Sizes, and what either picture is the mean of."""
        return (
            f"aligned crops of {self.crop_px} px, grey, brought to {self.size_px} px: onset and apex, each the mean of "
            f"the frames within {1000 * self.around_s:.0f} ms, from -2 to 2, and {self.gain:g} times their difference"
        )


def apex_pair(times: Times, images: Images, apex: float, representation: ApexChange) -> Floats:
    """Onset and apex, in grey and one upon the other, of crops uint8 (S, S, 3) at `times` (T,), from the onset on.

    float32 (2, size, size) in [0, 1].
    """
    around_s, size_px = representation.around_s, representation.size_px
    onset, peak = (mean_grey(times, images, moment, around_s, size_px) for moment in (float(times[0]), apex))
    return np.stack([onset, upon(onset, peak)])
