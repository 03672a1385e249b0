"""Two shallow streams of the same structure over one event's flow, each at its own scale of time, and their fusion."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from train.networks.shallow3d import Shallow3d


class Dtscnn(nn.Module):
    """Flows (B, 2, T, S, S), T of the first scale and of the second -> feature (B, 2 width), logits (B, classes)."""

    def __init__(
        self, classes: int, planes: Sequence[int], width: int, side: int, cells: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.first = Shallow3d(2, planes, width, side, cells)
        self.second = Shallow3d(2, planes, width, side, cells)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        feature = torch.cat([self.first(first), self.second(second)], 1)
        return feature, self.fc(self.dropout(feature))
