"""How the face moved, tick by tick: what a spotter is fed as it comes, behind what it remembers itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.representation.movement.pooling import SMALL, means, pooled

TICKS = "ticks"
TURNS = 3  # yaw, pitch, roll
#: What brings the numbers of a tick near 1: eye distances of no movement, and degrees of a small turn.
LEAST, SMALL_DEG, MOST_TURNS = 1e-4, 3.0, 3.0


class MotionTicks(msgspec.Struct, frozen=True, tag="motion-ticks", forbid_unknown_fields=True):
    """How the face moved in the last `lag_s`, tick by tick, behind the network's own memory: float32 (B, width).

    See `motion_ticks` for one tick, and `realtime.spotting.recurrent` for how they come about.
    """

    crop_px: int  #: the side of the crops that the flow was found between
    size_px: int  #: the side of the fields
    cells: int  #: the side of the grid that a field is pooled to
    lag_s: float  #: a crop is held against one from so long before
    tick_s: float
    lookback_s: float  #: the network speaks of the moment that lies so long before the end of its newest tick
    memory: int  #: numbers that it gives from tick to tick

    fine: ClassVar[bool] = False  # who opens a spotter asks for f32
    every_frame: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Of one row, memory first."""
        return self.memory + 3 * self.cells**2 + 1 + TURNS

    def inputs(self) -> tuple[TensorSpec, ...]:
        """A tick behind the memory."""
        return (TensorSpec(name=TICKS, shape=(-1, self.width), dtype="float32", layout="NC"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """ValueError: ticks are of a stream, and there before any event is."""
        raise ValueError("ticks are of a stream, not of an event: a spotter judges none (see pairing)")

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs crops and fields of its sizes, over its lag."""
        if (self.crop_px, self.size_px, self.lag_s) != (crop_px, FIELD_PX, LAG_S):
            yield (
                f"was trained on crops of {self.crop_px} px and fields of {self.size_px} over {self.lag_s:g} s, "
                f"wanted {crop_px} px, {FIELD_PX} and {LAG_S:g} s: train it again"
            )

    def describe(self) -> str:
        """What it remembers, and what is new."""
        return (
            f"{self.memory} numbers that it gave for the tick before, then the movement since "
            f"{1000 * self.lag_s:.0f} ms ago on a grid of {self.cells} by {self.cells}, "
            f"every {1000 * self.tick_s:.0f} ms"
        )


def motion_ticks(fields: Floats, head: Floats, turns: Floats, cells: int) -> Floats:
    """Ticks as a network of `MotionTicks` sees them, without its memory: (..., 3 * cells**2 + 1 + TURNS).

    `fields` (..., 2, S, S) in eye distances become the means of u and v over each cell and the root mean square
    of their lengths, all compressed, for movements differ a hundredfold; `head` (...,) is the size of the movement
    that was taken away, in eye distances, `turns` (..., TURNS) that of the head in degrees.
    """
    squares = np.square(fields[..., 0, :, :]) + np.square(fields[..., 1, :, :])
    lengths = np.sqrt(means(squares, cells)).reshape(*fields.shape[:-3], -1)
    sizes = np.log((np.concatenate([lengths, head[..., None]], -1) + LEAST) / SMALL)
    turned = np.clip(turns / SMALL_DEG, -MOST_TURNS, MOST_TURNS)
    return np.asarray(np.concatenate([pooled(fields, cells), sizes, turned], -1), np.float32)
