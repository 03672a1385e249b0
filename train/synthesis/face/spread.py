"""Values at scattered points -> a smooth field over the whole picture.

Points are dealt to their four nearest pixels; gaps are filled from ever coarser means (the "pull-push" of
Gortler et al. 1996, "The Lumigraph", section 3.4.2), so that a field goes on smoothly where no point lies.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse

from realtime.records import Floats

COARSER = 0.05  # weight of the coarser mean beside the pixel's own points
BLUR_PX = 0.8


def spread(points: Floats, values: Floats, weights: Floats, size_px: int) -> Floats:
    """Field (S, S, C) from `values` (N, C) at `points` (N, 2) px with `weights` (N,)."""
    dealt = _dealing(points, size_px)
    total = np.asarray(dealt @ (values * weights[:, None]), np.float32).reshape(size_px, size_px, -1)
    density = np.asarray(dealt @ weights, np.float32).reshape(size_px, size_px, 1)
    field = _filled(total, density)
    smooth = cv2.GaussianBlur(field, (0, 0), BLUR_PX, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32).reshape(field.shape)


def _dealing(points: Floats, size_px: int) -> sparse.csr_matrix:
    """(S * S, N): the bilinear share of each pixel in each point; nothing outside the picture."""
    corner = np.floor(points).astype(np.int64)
    part = points - corner
    rows, columns, shares = [], [], []
    for down in (0, 1):
        for across in (0, 1):
            x, y = corner[:, 0] + across, corner[:, 1] + down
            share = np.abs(1 - across - part[:, 0]) * np.abs(1 - down - part[:, 1])
            inside = (x >= 0) & (x < size_px) & (y >= 0) & (y < size_px)
            rows.append((y * size_px + x)[inside])
            columns.append(np.flatnonzero(inside))
            shares.append(share[inside])
    cells = (np.concatenate(shares).astype(np.float32), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(cells, shape=(size_px * size_px, len(points)))


def _filled(total: Floats, density: Floats) -> Floats:
    height, width = total.shape[:2]
    if min(height, width) <= 2:
        mean = total.sum((0, 1)) / max(float(density.sum()), 1e-9)
        return np.broadcast_to(mean, total.shape).astype(np.float32)
    coarse = _filled(_pairs(total), _pairs(density))
    near = _enlarged(coarse, width, height)
    return np.asarray((total + COARSER * near) / (density + COARSER), np.float32)


def _pairs(field: Floats) -> Floats:
    """Sums of 2x2 pixels."""
    height, width = field.shape[:2]
    padded = np.pad(field, ((0, height % 2), (0, width % 2), (0, 0)))
    return np.asarray(padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2], np.float32)


def _enlarged(field: Floats, width: int, height: int) -> Floats:
    larger = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32).reshape(height, width, field.shape[2])
