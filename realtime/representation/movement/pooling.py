"""A displacement field -> a few numbers: its means over coarse cells, compressed, for sizes differ a hundredfold."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats

SMALL = 0.002  #: outer eye distances of a small movement: what brings the numbers near 1


def pooled(fields: Floats, cells: int) -> Floats:
    """The mean of u and of v over each cell of fields (..., 2, S, S), compressed: float32 (..., 2 * cells**2)."""
    return np.asarray(np.arcsinh(means(fields, cells) / SMALL).reshape(*fields.shape[:-3], -1), np.float32)


def means(values: Floats, cells: int) -> Floats:
    """(..., S, S) -> (..., cells, cells). One sum of slices: numpy's mean over two axes takes three times as long."""
    side, leading = values.shape[-1] // cells, values.ndim - 2
    parts = values.reshape(*values.shape[:-2], cells, side, cells, side)
    slices = np.moveaxis(parts, (leading + 1, leading + 3), (0, 1)).reshape(
        side * side, *values.shape[:-2], cells, cells
    )
    return np.asarray(np.add.reduce(slices, axis=0) / np.float32(side * side))
