"""Random changes of training pictures, on batches of tensors; every draw comes from the generator that is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601), as OpenCV has it


@dataclass(frozen=True, slots=True)
class StillAugment:
    """For single grey faces: mirror, small similarity, low resolution, a hidden patch, contrast, skin tint, noise."""

    turn_deg: float
    scale: float  #: up to this share larger or smaller
    shift: float  #: up to this share of the side
    contrast: float
    tint: float
    hide: float  #: probability of a hidden patch
    soften: float  #: probability of a low resolution
    noise: float  #: most standard deviation

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """float32 (B, 1, S, S) in [0, 1] -> (B, 3, S, S) in [0, 1]."""
        x = similarity(x, self.turn_deg, self.scale, self.shift, generator)
        if self.soften:
            x = soften(x, self.soften, generator)
        x = hide_patch(x, self.hide, generator)
        x = tint(x, self.contrast, self.tint, generator)
        return (noise(x, self.noise, generator) if self.noise else x).clamp(0.0, 1.0)


def uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Evenly between `low` and `high`."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def similarity(x: Tensor, turn_deg: float, scale: float, shift: float, generator: Generator) -> Tensor:
    """Turn, scale, shift and mirror each picture of (B, C, S, S) at random."""
    return _moved(x, similarities(len(x), turn_deg, scale, shift, generator))


def turned(x: Tensor, turn_deg: float, generator: Generator) -> Tensor:
    """Turn each picture of (B, C, S, S) at random, by up to `turn_deg` to either side, and do nothing else."""
    return _moved(x, similarities(len(x), turn_deg, 0.0, 0.0, generator, mirrored=False))


def pairs(x: Tensor, turn_deg: float, scale: float, shift: float, slip: float, generator: Generator) -> Tensor:
    """The same for two pictures of one face (B, 2, S, S): both alike, but that the second slips against the first.

    Landmarks are not sure to the pixel: it moves by up to `slip` of the side, turns by as many radians, and is scaled.
    """
    count, _, side, _ = x.shape
    both = similarities(count, turn_deg, scale, shift, generator)
    own = similarities(count, slip * 180 / math.pi, slip, slip, generator, mirrored=False)
    linear = both[..., :2] @ own[..., :2]
    slipped = torch.cat([linear, both[..., :2] @ own[..., 2:] + both[..., 2:]], 2)
    theta = torch.stack([both, slipped], 1).flatten(0, 1)
    return _moved(x.reshape(2 * count, 1, side, side), theta).view(x.shape)


def light(x: Tensor, amount: float, generator: Generator) -> Tensor:
    """Another contrast and another gamma for each of (B, C, S, S) in [0, 1], the same for its C pictures."""
    gain, gamma = torch.exp(uniform(-amount, amount, (2, len(x), 1, 1, 1), generator))
    mean = x.mean((1, 2, 3), keepdim=True)
    lit: Tensor = ((x - mean) * gain + mean).clamp(1e-3, 1.0) ** gamma
    return lit


def noise(x: Tensor, most: float, generator: Generator) -> Tensor:
    """Add to each of (B, C, S, S) noise of its own strength, in standard deviations up to `most`."""
    strength = uniform(0.0, most, (len(x), 1, 1, 1), generator)
    return x + strength * torch.randn(x.shape, generator=generator)


def similarities(
    count: int, turn_deg: float, scale: float, shift: float, generator: Generator, *, mirrored: bool = True
) -> Tensor:
    """Similarities (B, 2, 3) as `F.affine_grid` has them, half of them `mirrored`.

    One draw moves all that is seen of a clip alike: see `moved_clips` and `moved_flows`.
    """
    angle = uniform(-turn_deg, turn_deg, (count,), generator) * (math.pi / 180)
    factor = torch.exp(uniform(-scale, scale, (count,), generator))
    mirror = torch.ones(count)
    if mirrored:
        mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    move = uniform(-2 * shift, 2 * shift, (count, 2), generator)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    return torch.stack([cos * mirror, -sin, move[:, 0], sin * mirror, cos, move[:, 1]], 1).view(count, 2, 3)


def _moved(x: Tensor, theta: Tensor) -> Tensor:
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def moved_clips(x: Tensor, theta: Tensor) -> Tensor:
    """Clips (B, C, T, S, S), all pictures of one moved by its similarity of `theta` (B, 2, 3)."""
    return _moved(x.flatten(1, 2), theta).view(x.shape)


def moved_flows(x: Tensor, theta: Tensor) -> Tensor:
    """Flows (B, 2, T, S, S), right and down, moved likewise; their arrows turn and grow with the places."""
    back = torch.linalg.inv(theta[..., :2])  # `theta` says where to look: arrows go the other way
    return torch.einsum("bij,bjthw->bithw", back, moved_clips(x, theta))


def soften(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Show some of the pictures (B, C, S, S) as a face far away or out of focus is: at a third to all of their side.

    The resolution is drawn once a batch, for those in it that are chosen.
    """
    side = x.shape[-1]
    low = int(torch.randint(side // 3, side + 1, (1,), generator=generator))
    small = F.interpolate(x, size=(low, low), mode="area")
    blurred = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    chosen = torch.rand((len(x), 1, 1, 1), generator=generator) < probability
    return torch.where(chosen, blurred, x)


def hide_patch(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Fill a square of a fifth to two fifths of the side by the picture's mean (random erasing, Zhong et al. 2017)."""
    count, _, side, _ = x.shape
    half = uniform(0.1, 0.2, (count, 1, 1, 1), generator) * side
    centre = torch.rand((count, 2, 1, 1, 1), generator=generator) * side
    axis = torch.arange(side, dtype=x.dtype)
    rows = (axis.view(1, 1, side, 1) - centre[:, 0]).abs() < half
    inside = rows & ((axis.view(1, 1, 1, side) - centre[:, 1]).abs() < half)
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < probability
    return torch.where(inside & chosen, x.mean((2, 3), keepdim=True), x)


def tint(x: Tensor, contrast: float, amount: float, generator: Generator) -> Tensor:
    """Grey (B, 1, S, S), or coloured, -> coloured (B, 3, S, S): one contrast a picture, a gamma for each colour.

    Training pictures are grey, live ones are not: so skin's colour is made not to matter.
    """
    count = len(x)
    gain = torch.exp(uniform(-contrast, contrast, (count, 1, 1, 1), generator))
    mean = x.mean((2, 3), keepdim=True)
    gamma = torch.exp(
        uniform(-amount, amount, (count, 3, 1, 1), generator)
        + uniform(-contrast, contrast, (count, 1, 1, 1), generator)
    )
    return ((x - mean) * gain + mean).clamp(1e-3, 1.0) ** gamma


def grey(x: Tensor, probability: float, generator: Generator) -> Tensor:
    """Take the colour, though not the brightness, from some of the pictures (B, 3, S, S)."""
    luma = (x * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    chosen = torch.rand((len(x), 1, 1, 1), generator=generator) < probability
    return torch.where(chosen, luma.expand_as(x), x)


def resized_crop(x: Tensor, area: tuple[float, float], size_px: int, generator: Generator) -> Tensor:
    """Of each clip (B, C, T, S, S) a rectangle at random, the same in all its frames, as (B, C, T, size, size).

    It covers a share of the picture within `area`, its sides are between 3:4 and 4:3 (Szegedy et al. 2015, arXiv
    1409.4842, section 6), and half of the clips are mirrored.
    """
    count, channels, frames = x.shape[:3]
    share = uniform(*area, (count,), generator)
    ratio = torch.exp(uniform(-math.log(4 / 3), math.log(4 / 3), (count,), generator))
    half = torch.stack([(share * ratio).sqrt(), (share / ratio).sqrt()], 1).clamp(max=1.0)  # (B, 2), the picture's is 1
    centre = (1 - half) * uniform(-1.0, 1.0, (count, 2), generator)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    none = torch.zeros(count)
    rows = [half[:, 0] * mirror, none, centre[:, 0], none, half[:, 1], centre[:, 1]]
    grid = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), [count, 1, size_px, size_px], align_corners=False)
    seen = F.grid_sample(x.flatten(1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return seen.view(count, channels, frames, size_px, size_px)


def standardise(x: Tensor) -> Tensor:
    """(B, 3, S, S) in [0, 1] -> as `crop_images` makes it."""
    mean, std = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)
