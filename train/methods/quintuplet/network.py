"""Two branches, of pictures and of flow, both seen through the mask; their features are joined and judged."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.methods.quintuplet.au_centres import UNITS
from train.methods.quintuplet.config import QuintupletConfig
from train.methods.quintuplet.mask import MaskNet, attention
from train.networks.shallow3d import Shallow3d


class Compared(NamedTuple):
    """What training compares of B events."""

    feature: Tensor  #: (B, 2 width) of both modes, none below 0
    logits: Tensor  #: (B, classes)
    pictures: Tensor  #: (B, width) of the pictures alone, as the flow's is to be
    flow: Tensor  #: (B, width)


class QuintupletNet(nn.Module):
    """Pictures (B, 3, T, S, S) and flow (B, 2, T', S', S') of events -> feature (B, 2 width), logits (B, classes)."""

    def __init__(self, classes: int, config: QuintupletConfig) -> None:
        super().__init__()
        width = config.width
        self.keep, self.flow_px = config.mask.keep, config.flow_px
        self.mask = MaskNet(len(UNITS), config.mask.planes)
        self.pictures = Shallow3d(3, config.planes, width, config.size_px, config.cells)
        self.flow = Shallow3d(2, config.planes, width, config.flow_px, config.cells)
        self.picture_view, self.flow_view = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, clips: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        pictures, moved = self.features(clips, flow)
        feature = torch.cat([pictures, moved], 1)
        return feature, self.fc(self.dropout(feature))

    def answers(self, clips: Tensor, flow: Tensor) -> Compared:
        """The same and the views of either mode, which only training looks at."""
        pictures, moved = self.features(clips, flow)
        feature = torch.cat([pictures, moved], 1)
        logits = self.fc(self.dropout(feature))
        return Compared(feature, logits, self.picture_view(pictures), self.flow_view(moved))

    def features(self, clips: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        """Of the pictures and of the flow, (B, width) each."""
        seen = attention(self.mask(clips[:, :, 0]), self.keep)  # of the onset alone
        small = F.interpolate(seen, size=(self.flow_px, self.flow_px), mode="bilinear", align_corners=False)
        return self.pictures(clips * seen.unsqueeze(2)), self.flow(flow * small.unsqueeze(2))
