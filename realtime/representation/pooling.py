"""A displacement field -> a few numbers: its means over coarse cells, compressed, for sizes differ a hundredfold."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats

SMALL = 0.002  #: outer eye distances of a small movement: what brings the numbers near 1


def pooled(fields: Floats, cells: int) -> Floats:
    """The mean of u and of v over each cell of fields (..., 2, S, S), compressed: float32 (..., 2 * cells**2)."""
    return np.asarray(np.arcsinh(means(fields, cells) / SMALL).reshape(*fields.shape[:-3], -1), np.float32)


def means(values: Floats, cells: int) -> Floats:
    """(..., S, S) -> (..., cells, cells). By sums of slices: numpy's mean over two axes takes twice as long."""
    side = values.shape[-1] // cells
    parts = [values[..., i::side, j::side] for i in range(side) for j in range(side)]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(side * side))
