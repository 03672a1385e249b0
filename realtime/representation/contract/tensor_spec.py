"""One input or output of a network, as manifests write it down."""

from __future__ import annotations

from typing import Literal

import msgspec


class TensorSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One input or output of the network."""

    name: str
    shape: tuple[int, ...]  #: -1 stands for the batch
    dtype: Literal["float32"]
    layout: str  #: a letter for each axis: N batch, C channel or class, H, W, T frame
