"""Why an engine cannot run here, as far as its representation tells: reasons that are read behind the engine's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncoderAtHand:
    """The encoder that a running Glimpse has, as far as an engine may depend on it."""

    name: str
    sha256: str  #: of its model.onnx
    widths: tuple[int, ...]  #: of its embeddings; () if it makes none


def other_crops(trained_px: int, crop_px: int) -> Iterator[str]:
    """That crops of `crop_px` are made, and the engine knows those of `trained_px`."""
    if trained_px != crop_px:
        yield (
            f"was trained on crops of {trained_px} px, align.size_px is {crop_px}: "
            f"set align.size_px = {trained_px} or name another engine"
        )
