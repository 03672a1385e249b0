"""How far a face had moved from its onset to its apex, as a displacement field with its size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats, Image, Times
from realtime.representation.contract.event import Images, SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand, other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.change import mean_grey
from realtime.representation.movement.fields import FIELD_PX, on_face
from realtime.representation.movement.motion import Flow, Layout, layout, measure

FIELD = "field"


class ApexField(msgspec.Struct, frozen=True, tag="apex-field", forbid_unknown_fields=True):
    """The flow from an event's onset to its apex without the head's part: float32 (B, 2, size, size), right and down.

    In outer eye distances and not divided by its own size: how strong a movement is, is asked for. Outside of the face
    it is 0. However long the event took, it is seen against its onset, where `FlowFields` know what was a lag before.
    """

    crop_px: int  #: the side of the crops that the flow is found between
    size_px: int  #: the side of the field
    around_s: float  #: frames so near to either moment are averaged: fast cameras lose their noise

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The field."""
        shape = (-1, 2, self.size_px, self.size_px)
        return (TensorSpec(name=FIELD, shape=shape, dtype="float32", layout="NCHW"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Its onset is the event's first frame."""
        images = event.images
        flow, place = Flow(), layout(len(images[0]))
        return {FIELD: apex_field(event.times, images, apex_s, self.around_s, flow, place)[None]}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops of its size and fields of its side."""
        yield from other_crops(self.crop_px, crop_px)
        if self.size_px != FIELD_PX:
            yield f"sees fields of side {self.size_px}, {FIELD_PX} are made: train it again"

    def describe(self) -> str:
        """What is held against what, on which grid."""
        return (
            f"how far the face moved from onset to apex, each the mean of the frames within "
            f"{1000 * self.around_s:.0f} ms, in outer eye distances on a grid of {self.size_px} by {self.size_px}"
        )


def apex_field(times: Times, images: Images, apex_s: float, around_s: float, flow: Flow, place: Layout) -> Floats:
    """Crops uint8 (S, S, 3) at `times` (T,), from the onset on -> float32 (2, FIELD_PX, FIELD_PX) at `apex_s`."""
    onset, apex = (_mean(times, images, moment, around_s) for moment in (float(times[0]), apex_s))
    return on_face(measure(apex_s, flow(onset, apex), place).field)


def _mean(times: Times, images: Images, moment: float, around_s: float) -> Image:
    return np.asarray(np.rint(255 * mean_grey(times, images, moment, around_s, len(images[0]))), np.uint8)
