"""How the authors change each picture at random, in both trainings: mirrored, turned, brighter or darker."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from train.methods.microattention.config import StillChanges
from train.training.augment import similarity, uniform


def changed(x: Tensor, a: StillChanges, generator: Generator) -> Tensor:
    """Grey (B, 1, S, S) in [0, 1] -> what the network sees of it, (B, 3, S, S): all three colours alike."""
    upright = similarity(x, 0.0, 0.0, 0.0, generator)  # which mirrors half of them
    turned = similarity(x, a.turn_deg, 0.0, 0.0, generator)
    x = torch.where(_chosen(x, a, generator), turned, upright)
    lit = x + uniform(-a.light, a.light, (len(x), 1, 1, 1), generator) / 255
    return torch.where(_chosen(x, a, generator), lit.clamp(0.0, 1.0), x).expand(-1, 3, -1, -1)


def _chosen(x: Tensor, a: StillChanges, generator: Generator) -> Tensor:
    return torch.rand((len(x), 1, 1, 1), generator=generator) < a.probability
