"""Where to look: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597) that finds a face's action units."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskNet(nn.Module):
    """The picture of the onset (B, 3, S, S), standardised -> logits of a map for each unit (B, units, S, S).

    S is a multiple of 4. No layer is normalised: what it has learned is the same whether others train or not.
    """

    def __init__(self, units: int, planes: int) -> None:
        super().__init__()
        self.down1, self.down2 = _convolved(3, planes), _convolved(planes, 2 * planes)
        self.middle = _convolved(2 * planes, 4 * planes)
        self.up2, self.up1 = _convolved(6 * planes, 2 * planes), _convolved(3 * planes, planes)
        self.pool, self.rise = nn.MaxPool2d(2), nn.Upsample(scale_factor=2.0, mode="nearest")
        self.last = nn.Conv2d(planes, units, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)  # S
        second = self.down2(self.pool(first))  # S / 2
        middle = self.middle(self.pool(second))  # S / 4
        second = self.up2(torch.cat([second, self.rise(middle)], 1))
        first = self.up1(torch.cat([first, self.rise(second)], 1))
        maps: Tensor = self.last(first)
        return maps


def attention(logits: Tensor, keep: float) -> Tensor:
    """Maps (B, units, S, S) -> what a picture is multiplied by, (B, 1, S, S): from `keep` to 1 where a unit acts.

    keep + (1 - keep) m, m the most that any unit claims of a place.
    """
    return keep + (1.0 - keep) * logits.sigmoid().amax(1, keepdim=True)


def _convolved(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU())
