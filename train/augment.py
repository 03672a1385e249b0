"""Random changes of training pictures, on batches of tensors; every draw comes from the generator that is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class StillAugment:
    """For single grey faces: mirror, small similarity, contrast, skin tint, a hidden patch."""

    turn_deg: float
    scale: float  #: up to this share larger or smaller
    shift: float  #: up to this share of the side
    contrast: float
    tint: float
    hide: float  #: probability of a hidden patch

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """float32 (B, 1, S, S) in [0, 1] -> (B, 3, S, S) in [0, 1]."""
        x = similarity(x, self.turn_deg, self.scale, self.shift, generator)
        x = hide_patch(x, self.hide, generator)
        return tint(x, self.contrast, self.tint, generator).clamp(0.0, 1.0)


def _uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def similarity(x: Tensor, turn_deg: float, scale: float, shift: float, generator: Generator) -> Tensor:
    """Turn, scale, shift and mirror each picture of (B, C, S, S) at random."""
    count = len(x)
    angle = _uniform(-turn_deg, turn_deg, (count,), generator) * (math.pi / 180)
    factor = torch.exp(_uniform(-scale, scale, (count,), generator))
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    move = _uniform(-2 * shift, 2 * shift, (count, 2), generator)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    theta = torch.stack([cos * mirror, -sin, move[:, 0], sin * mirror, cos, move[:, 1]], 1).view(count, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def hide_patch(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Fill a square of a fifth to two fifths of the side by the picture's mean (random erasing, Zhong et al. 2017)."""
    count, _, side, _ = x.shape
    half = _uniform(0.1, 0.2, (count, 1, 1, 1), generator) * side
    centre = torch.rand((count, 2, 1, 1, 1), generator=generator) * side
    axis = torch.arange(side, dtype=x.dtype)
    rows = (axis.view(1, 1, side, 1) - centre[:, 0]).abs() < half
    inside = rows & ((axis.view(1, 1, 1, side) - centre[:, 1]).abs() < half)
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < probability
    return torch.where(inside & chosen, x.mean((2, 3), keepdim=True), x)


def tint(x: Tensor, contrast: float, amount: float, generator: Generator) -> Tensor:
    """Grey (B, 1, S, S) -> coloured (B, 3, S, S): one contrast a picture, a gamma of its own for each colour.

    Training pictures are grey, live ones are not: so skin's colour is made not to matter.
    """
    count = len(x)
    gain = torch.exp(_uniform(-contrast, contrast, (count, 1, 1, 1), generator))
    mean = x.mean((2, 3), keepdim=True)
    gamma = torch.exp(
        _uniform(-amount, amount, (count, 3, 1, 1), generator)
        + _uniform(-contrast, contrast, (count, 1, 1, 1), generator)
    )
    return ((x - mean) * gain + mean).clamp(1e-3, 1.0) ** gamma
