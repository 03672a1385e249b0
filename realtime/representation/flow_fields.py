"""How the face had moved at moments between onset and apex: see `fields`, which makes them of a face's fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.fields import FIELD_PX, Scale, moments, normalised, sampled

FIELDS = "fields"


class FlowFields(msgspec.Struct, frozen=True, tag="flow-fields", forbid_unknown_fields=True):
    """How the face had moved at moments between onset and apex: float32 (B, frames, 3, size, size), u, v, strain.

    See `fields`, which says over how long, how moments are chosen, and how sizes are taken.
    """

    crop_px: int  #: the side of the crops that the flow was found between
    size_px: int  #: the side of the fields
    frames: int
    scale: Scale  #: "each" of u and v is divided by its own size, or "both" by one
    floor: float  #: least size, eye distances: below it is noise
    limit: float  #: values beyond so many sizes are cut

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The fields."""
        shape = (-1, self.frames, 3, self.size_px, self.size_px)
        return (TensorSpec(name=FIELDS, shape=shape, dtype="float32", layout="NTCHW"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Fields from the event's first frame to its apex."""
        times = event.times
        wanted = moments(float(times[0]), apex_s, self.frames)
        return {FIELDS: scaled(sampled(times, np.asarray(event.fields), wanted)[None], self)}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size and fields of its side."""
        yield from other_crops(self.crop_px, crop_px)
        if self.size_px != FIELD_PX:
            yield f"sees fields of side {self.size_px}, {FIELD_PX} are made: train it again"

    def describe(self) -> str:
        """How many moments, on which grid."""
        grid = f"a grid of {self.size_px} by {self.size_px}"
        return f"u, v and strain at {self.frames} moments from onset to apex, on {grid}"


def scaled(events: Floats, representation: FlowFields) -> Floats:
    """Sampled events (B, frames, 2, S, S) eye distances -> float32 (B, frames, 3, S, S)."""
    return normalised(events, representation.scale, representation.floor, representation.limit)
