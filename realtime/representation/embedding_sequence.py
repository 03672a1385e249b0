"""What the encoder made of frames spread over an event, and, if wanted, how the face had moved by each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
import numpy as np

from realtime.records import Floats
from realtime.representation.contract.event import SeenEvent
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.movement.pooling import pooled

EMBEDDINGS = "embeddings"


class EmbeddingSequence(msgspec.Struct, frozen=True, tag="embedding-sequence", forbid_unknown_fields=True):
    """An encoder's embeddings of frames spread evenly over an event: float32 (B, frames, row)."""

    encoder: str  #: name of the engine package that makes the embeddings
    encoder_sha256: str  #: of its model.onnx: another encoder's embeddings mean something else
    frames: int
    width: int  #: of an embedding
    cells: int = 0  #: the side of the grid that each frame's field is pooled to, behind its embedding; 0: no field

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = False

    @property
    def row(self) -> int:
        """Numbers of one frame."""
        return self.width + 2 * self.cells**2

    def inputs(self) -> tuple[TensorSpec, ...]:
        """The sequence."""
        shape = (-1, self.frames, self.row)
        return (TensorSpec(name=EMBEDDINGS, shape=shape, dtype="float32", layout="NTC"),)

    def of_event(self, event: SeenEvent, apex_s: float) -> dict[str, Floats]:
        """Frames that the encoder has seen, see `spread`; the apex is not looked at."""
        seen = event.embedded
        chosen = spread(len(seen.embeddings), self.frames)
        rows = np.stack([seen.embeddings[i] for i in chosen])
        if self.cells:
            moved = pooled(np.stack([seen.fields[i] for i in chosen]), self.cells)
            rows = np.concatenate([rows, moved], axis=1)
        return {EMBEDDINGS: rows[None].astype(np.float32)}

    def misfits(self, encoder: EncoderAtHand | None, crop_px: int) -> Iterator[str]:
        """It needs the very encoder that it was trained with, and sees no crops itself."""
        if encoder is None:
            yield f"takes {self.encoder}'s embeddings, and there is no encoder: name it as engines.encoder"
            return
        if self.encoder != encoder.name:
            yield f"was trained on {self.encoder}'s embeddings, not {encoder.name}'s: name them as a pair"
        if self.encoder_sha256 != encoder.sha256:
            yield (
                f"was trained with model.onnx {self.encoder_sha256[:12]} of its encoder, {encoder.name} has "
                f"{encoder.sha256[:12]}: restore that encoder or train the head again"
            )
        if encoder.widths not in ((), (self.width,)):
            yield (
                f"takes embeddings of width {self.width}, {encoder.name} gives {encoder.widths[0]}: "
                "train the head on this encoder"
            )

    def describe(self) -> str:
        """Whose embeddings, of how many frames, and what lies behind each."""
        moved = f", each with its displacement field on a grid of {self.cells} by {self.cells}" if self.cells else ""
        spoken = f"embeddings of {self.frames} frames, spread evenly over the event"
        return f"{spoken}, by `{self.encoder}` of SHA-256 {self.encoder_sha256}{moved}"


def spread(length: int, frames: int) -> list[int]:
    """The centres of `frames` equal parts of `length` frames: floor((i - 0.5) * length / frames), i = 1 ... frames.

    Shorter spans repeat frames, and order is kept. (Source frames of the contrastive magnification
    network at test time, CN115049957A.)
    """
    if length < 1:
        raise ValueError(f"a span of {length} frames has nothing to spread over; at least 1 is needed")
    return [int((i + 0.5) * length / frames) for i in range(frames)]
