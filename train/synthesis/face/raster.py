"""Triangles -> pixels, in plain numpy: which triangle each pixel shows, and where in it.

Triangles are taken together by the size of their boxes; every pixel of a box is tested (Pineda 1988, "A Parallel
Algorithm for Polygon Rasterization"); the nearest of all that cover a pixel's centre stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.records import Floats

Indices = npt.NDArray[np.int64]

SIDES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)  # of the boxes that are taken together; larger triangles are left out


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """The pixels (N of them) of a picture that show something."""

    pixels: Indices  #: (N,) row * S + column
    triangles: Indices  #: (N,)
    shares: Floats  #: (N, 3) barycentric: of the triangle's corners


def rasterise(points: Floats, triangles: Indices, size_px: int) -> Raster:
    """`points` (V, 3) px with depth, `triangles` (T, 3) wound so that those that face the camera turn clockwise."""
    corners = points[triangles]  # (T, 3, 3)
    a, b, c = np.moveaxis(corners[..., :2], 1, 0)
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(corners[..., :2].min(1)).astype(np.int64)
    high = np.floor(corners[..., :2].max(1)).astype(np.int64)
    inside = (area < 0) & (low <= high).all(1) & (high >= 0).all(1) & (low < size_px).all(1)
    spans = (high - low).max(1) + 1
    hits = []
    smallest = 0
    for side in SIDES:
        some = np.flatnonzero(inside & (spans > smallest) & (spans <= side))
        smallest = side
        if len(some):
            hits.append(_covered(corners[some], low[some], area[some], some, side, size_px))
    pixels, depth, found, shares = (np.concatenate(part) for part in zip(*hits, strict=True))
    order = np.argsort(-depth, kind="stable")  # the nearest last, which then stays
    best = np.full(size_px * size_px, -1, np.int64)
    best[pixels[order]] = order
    shown = np.flatnonzero(best >= 0)
    kept = best[shown]
    return Raster(shown, found[kept], shares[kept])


def _covered(
    corners: Floats, low: Indices, area: Floats, which: Indices, side: int, size_px: int
) -> tuple[Indices, Floats, Indices, Floats]:
    """Pixels, their depths, triangles and shares, of triangles whose boxes are no larger than `side`."""
    step = np.arange(side)
    x = low[:, 0, None, None] + step[None, None, :]
    y = low[:, 1, None, None] + step[None, :, None]
    x, y = np.broadcast_arrays(x, y)
    shares = []
    for first, second in ((1, 2), (2, 0)):
        p, q = corners[:, first, :2, None, None], corners[:, second, :2, None, None]
        edge = (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])
        shares.append(edge / area[:, None, None])
    shares.append(1.0 - shares[0] - shares[1])
    edge_px = -1e-5
    hit = (shares[0] >= edge_px) & (shares[1] >= edge_px) & (shares[2] >= edge_px)
    hit &= (x >= 0) & (x < size_px) & (y >= 0) & (y < size_px)
    triangle = np.nonzero(hit)[0]
    found = np.stack([share[hit] for share in shares], 1).astype(np.float32)
    depth = (found * corners[triangle, :, 2]).sum(1)
    return (y[hit] * size_px + x[hit]), depth, which[triangle], found
