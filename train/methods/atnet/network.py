"""ATNet: a residual network on the apex, two LSTM layers over the flow around it, and one layer that judges both.

Peng et al. 2019 (ACII, arXiv 1904.03699), by the authors' network file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.methods.atnet.config import Streams
from train.networks.preactivation import SHORTEST, PreactivationNetwork


class ApexPicture(PreactivationNetwork):
    """The stream of the picture (B, 1, S, S), without attention: (B, 8 width) of length 1, which nothing judges."""

    def __init__(self, width: int) -> None:
        super().__init__(1, attention=False, width=width)
        del self.fc, self.dropout  # a parameter without a gradient only misleads


class FlowInTime(nn.Module):
    """The stream of the steps (B, N, row): the mean state of the second of two layers, brought to length 1.

    (B, hidden)
    """

    def __init__(self, row: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.LSTM(row, hidden, batch_first=True)
        self.second = nn.LSTM(hidden, hidden, batch_first=True)

    def forward(self, steps: Tensor) -> Tensor:
        states, _ = self.first(steps)
        states, _ = self.second(states)
        return F.normalize(states.mean(1), dim=1, eps=SHORTEST)


class AtNet(nn.Module):
    """Apex (B, 1, S, S) and flow (B, N, row) -> logits (B, classes), and what they were judged by (B, features).

    Of one stream alone the other has no weights, and its input is not looked at.
    """

    def __init__(self, classes: int, streams: Streams, width: int, row: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.streams = streams
        features = 0
        if streams != "time":
            self.picture = ApexPicture(width)
            features += self.picture.width
        if streams != "apex":
            self.time = FlowInTime(row, hidden)
            features += hidden
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(features, classes)

    def forward(self, images: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        seen = [] if self.streams == "time" else [self.picture.embed(images)]
        if self.streams != "apex":
            seen.append(self.time(flow))
        feature = torch.cat(seen, 1)
        return self.fc(self.dropout(feature)), feature
