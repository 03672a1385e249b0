"""In which directions a face moves, block by block: histograms of oriented flow (HOOF; Chaudhry et al. 2009)."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats
from realtime.representation.movement.pooling import means


def orientations(fields: Floats, blocks: int, bins: int) -> Floats:
    """Fields (..., 2, S, S), right and down -> how much moved where to: float32 (..., blocks**2 * bins).

    Blocks lie row by row, `blocks` a side, which S is a multiple of. In each of them bin k is the mean over its places
    of |(u, v)| where that points at 360 k / bins degrees from right towards down, and where it points between two bins
    the shares of both: a movement that turns a little changes little. Not divided by their sum, as HOOF are, which
    would make as much of a face at rest as of one that moves.
    """
    side = fields.shape[-1]
    if side % blocks:
        raise ValueError(f"a field of side {side} has no {blocks} equal blocks a side; give a divisor of {side}")
    u, v = fields[..., 0, :, :].astype(np.float32), fields[..., 1, :, :].astype(np.float32)
    place = np.arctan2(v, u) * np.float32(bins / (2 * np.pi))  # in bins, from minus half of them on
    away = (place[..., None, :, :] - np.arange(bins, dtype=np.float32)[:, None, None]) % bins
    shares = np.clip(1 - np.minimum(away, bins - away), 0, None) * np.hypot(u, v)[..., None, :, :]
    histograms = np.moveaxis(means(shares, blocks), -3, -1)  # (..., blocks, blocks, bins)
    return np.ascontiguousarray(histograms.reshape(*fields.shape[:-3], -1), np.float32)
