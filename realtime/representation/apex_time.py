"""An event's apex and what moved around it: one picture, and where to the face moved at steps before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats, Times
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import IMAGES
from realtime.representation.grey_clip import grey_picture
from realtime.representation.movement.fields import FIELD_PX, normalised, sampled
from realtime.representation.movement.orientations import orientations

FLOW = "flow"


class ApexTime(msgspec.Struct, frozen=True, tag="apex-time", forbid_unknown_fields=True):
    """The apex in grey, float32 (B, 1, size, size) in [0, 1], and flow at steps: float32 (B, steps, blocks**2 * bins).

    The steps lie evenly from `around_s` before the apex to as long after it, whatever the camera's rate (see
    `sampled`). Of each there are the directions in which the blocks of a face move (see `orientations`), as its fields
    say: how far it has moved over a lag that is longer than the onset of a micro-expression. They are divided by their
    own size over all steps. Of an event that begins or ends within that time, or is not yet over, its first and its
    last frame stand for what lies outside.
    """

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side of the picture that the network sees
    field_px: int  #: the side of the fields
    around_s: float
    steps: int
    blocks: int  #: a side
    bins: int  #: of directions
    floor: float  #: least size of the movement, eye distances: below it is noise
    limit: float  #: values beyond so many sizes are cut

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The picture, and the steps."""
        picture, row = (-1, 1, self.size_px, self.size_px), self.blocks**2 * self.bins
        return (
            TensorSpec(name=IMAGES, shape=picture, dtype="float32", layout="NCHW"),
            TensorSpec(name=FLOW, shape=(-1, self.steps, row), dtype="float32", layout="NTC"),
        )

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """The frame that is nearest to the apex, and the movement around it."""
        times = event.times
        apex = grey_picture(event.images[int(np.abs(times - apex_s).argmin())], self.size_px)
        moved = sampled(times, np.asarray(event.fields), self._moments(apex_s))
        even = normalised(moved, "both", self.floor, self.limit)[:, :2]
        return {IMAGES: apex[None, None], FLOW: orientations(even, self.blocks, self.bins)[None]}

    def _moments(self, apex_s: float) -> Times:
        return apex_s + np.linspace(-self.around_s, self.around_s, self.steps)

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size and fields of its side."""
        yield from other_crops(self.crop_px, crop_px)
        if self.field_px != FIELD_PX:
            yield f"sees fields of side {self.field_px}, {FIELD_PX} are made: train it again"

    def describe(self) -> str:
        """What the picture is, how many steps there are, and what is known of each."""
        around = f"{self.steps} steps within {1000 * self.around_s:.0f} ms of the apex"
        return (
            f"the apex, an aligned crop of {self.crop_px} px, grey, brought to {self.size_px} px, from 0 to 1; and "
            f"at {around} the histogram over {self.bins} directions in which each of {self.blocks} by {self.blocks} "
            "blocks of the face has moved"
        )
