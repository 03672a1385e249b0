"""An event in two modes: pictures from its first frame to its last, and how fast the face moved meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from realtime.records import Floats
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.flow_clip import FlowClip


class ClipAndFlow(msgspec.Struct, frozen=True, tag="clip-and-flow", forbid_unknown_fields=True):
    """The inputs of `ClipImages`, then those of `FlowClip`, of one event."""

    clip: ClipImages
    flow: FlowClip

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The clip, then the flow at each of its scales."""
        return (*self.clip.inputs(), *self.flow.inputs())

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Both of the whole event."""
        return self.clip.of_event(event, apex_s) | self.flow.of_event(event, apex_s)

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """What fits neither is said once."""
        yield from dict.fromkeys((*self.clip.misfits(encoder, crop_px), *self.flow.misfits(encoder, crop_px)))

    def describe(self) -> str:
        """Either mode."""
        return f"{self.clip.describe()}; and {self.flow.describe()}"
