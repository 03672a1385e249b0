"""Random changes of displacement fields: between what a generator knows and what flow finds in real video.

Every draw comes from the generator that is given; sizes are shares of an event's own, which normalisation takes away.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from train.methods.motion.config import MotionAugment
from train.training.augment import uniform

KNOTS = 6  # a side: what is smooth changes about so often over the face


def distort(fields: Tensor, augment: MotionAugment, generator: Generator) -> Tensor:
    """Events (B, N, 2, S, S) -> as many that other faces, cameras and stages might have shown."""
    fields = late(fields, augment.late, generator)
    fields = warp(fields, augment.turn_deg, augment.scale, augment.shift, generator)
    fields = fields * gains(fields, augment.gain, generator)
    size = fields.square().mean((1, 2, 3, 4), keepdim=True).sqrt()
    fields = fields + size * augment.drift * _affine(fields, generator)
    return fields + size * augment.noise * _smooth(fields, generator)


def late(fields: Tensor, share: float, generator: Generator) -> Tensor:
    """In a `share` of the events, the reference is not of rest but of shortly after the onset: the first moment's."""
    chosen = torch.rand((len(fields), 1, 1, 1, 1), generator=generator) < share
    return torch.where(chosen, fields - fields[:, :1], fields)


def warp(fields: Tensor, turn_deg: float, scale: float, shift: float, generator: Generator) -> Tensor:
    """Turn, scale and shift each event's fields at random, their vectors too, and mirror half of them.

    Another face's brows lie elsewhere; in a mirror, what went right goes left.
    """
    count, frames, _, side, _ = fields.shape
    angle = uniform(-turn_deg, turn_deg, (count,), generator) * (math.pi / 180)
    factor = torch.exp(uniform(-scale, scale, (count, 2), generator))  # across and down of their own
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    move = uniform(-2 * shift, 2 * shift, (count, 2), generator)
    cos, sin, (across, down) = angle.cos(), angle.sin(), factor.unbind(1)
    linear = torch.stack([mirror * across * cos, -across * sin, mirror * down * sin, down * cos], 1).view(count, 2, 2)
    grid = F.affine_grid(torch.cat([linear, move[:, :, None]], 2), [count, 1, side, side], align_corners=False)
    moved = F.grid_sample(fields.flatten(1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False)
    back = torch.linalg.inv(linear)  # the grid says where to look: vectors go the other way
    return torch.einsum("bij,bnjhw->bnihw", back, moved.view(fields.shape))


def gains(fields: Tensor, amount: float, generator: Generator) -> Tensor:
    """Factors (B, 1, 1, S, S) around 1, smooth over the face: people move their parts more or less."""
    count, side = len(fields), fields.shape[-1]
    knots = torch.randn((count, 1, KNOTS, KNOTS), generator=generator)
    return torch.exp(amount * _spread(knots, side))[:, None]


def _smooth(fields: Tensor, generator: Generator) -> Tensor:
    """Noise of size 1 with strengths of its own in each event: as flow's errors are, smooth, and new in each frame."""
    count, frames, _, side, _ = fields.shape
    knots = torch.randn((count * frames, 2, KNOTS, KNOTS), generator=generator)
    strength = torch.rand((count, 1, 1, 1, 1), generator=generator)
    return strength * _spread(knots, side).view(fields.shape)


def _affine(fields: Tensor, generator: Generator) -> Tensor:
    """What is left of a head whose part was not wholly found: shift, growth and shear, growing through the event."""
    count, frames, _, side, _ = fields.shape
    axis = torch.linspace(-1.0, 1.0, side)
    plane = torch.stack([torch.ones(side, side), axis.expand(side, side), axis[:, None].expand(side, side)])
    fit = torch.randn((count, 2, 3), generator=generator) * torch.rand((count, 1, 1), generator=generator)
    rise = torch.arange(1, frames + 1) / frames
    return torch.einsum("bck,khw,n->bnchw", fit, plane, rise)


def _spread(knots: Tensor, side: int) -> Tensor:
    return F.interpolate(knots, size=(side, side), mode="bicubic", align_corners=True)
