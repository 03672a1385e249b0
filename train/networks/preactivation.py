"""The pre-activation residual network of the micro-attention paper, with the attention in each unit or without it.

Wang, Peng, Bi, Chen, "Micro-attention for micro-expression recognition" (arXiv 1811.02360, Neurocomputing 2020), by
the authors' own network file; without the attention it is the spatial stream of ATNet (Peng et al., ACII 2019, arXiv
1904.03699). What that file leaves open is this project's choice, after He et al. 2016 (arXiv 1603.05027, appendix):
the first unit begins with what the stem has already normalised and rectified, and where a unit changes its width the
shortcut's convolution sees the rectified input too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.networks.resnet import initialise

WIDTH = 64  #: channels of the first unit; the others have 2, 4 and 8 times as many
SHORTEST = 1e-6  # length of a feature that is still divided by


class MicroAttention(nn.Module):
    """How much each place of a unit's sum r matters: m in (0, 1), and r * m + r comes out.

    m = sigmoid(mean over channels of a 1x1 convolution, from 3C to C channels, of [shortcut, first, second]), where
    the last two are what the unit's convolutions gave. The mean is a convolution in the authors' file, whose weights
    are all 1 / C and never learned.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3 * channels, channels, 1)

    def forward(self, shortcut: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Three of (B, C, H, W) -> m, (B, 1, H, W)."""
        mixed: Tensor = self.conv(torch.cat([shortcut, first, second], 1))
        return mixed.mean(1, keepdim=True).sigmoid()


class PreactivationUnit(nn.Module):
    """Normalisation, ReLU and a 3x3 convolution, twice, beside a shortcut; then the attention, where it is wanted.

    An input that is `activated` has just been normalised and rectified, and is not once more.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, *, activated: bool, attention: bool) -> None:
        super().__init__()
        self.before: nn.Module = nn.Identity() if activated else nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.expand = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None
        self.attention = MicroAttention(outputs) if attention else None

    def forward(self, x: Tensor) -> Tensor:
        active = self.before(x)
        shortcut = x if self.expand is None else self.expand(active)
        first = self.conv1(active)
        second = self.conv2(F.relu(self.bn2(first)))
        total: Tensor = shortcut + second
        if self.attention is None:
            return total
        mask: Tensor = self.attention(shortcut, first, second)
        return total * mask + total


class PreactivationNetwork(nn.Module):
    """Grey pictures (B, 1, S, S) -> a feature of length 1 (B, 8 width) and class logits (B, classes).

    Whatever range the pictures have: they are normalised first. The authors' S is 224, their width 64.
    """

    def __init__(self, classes: int, *, attention: bool, width: int = WIDTH, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = 8 * width
        self.input = nn.BatchNorm2d(1)
        self.conv1 = nn.Conv2d(1, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        widths = (width, width, 2 * width, 4 * width, 8 * width)
        self.units = nn.Sequential(
            *(
                PreactivationUnit(inputs, outputs, 1 if first else 2, activated=first, attention=attention)
                for inputs, outputs, first in zip(widths, widths[1:], (True, False, False, False), strict=False)
            )
        )
        self.last = nn.BatchNorm2d(self.width)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.width, classes)
        self.apply(initialise)

    def embed(self, x: Tensor) -> Tensor:
        """(B, 1, S, S) -> the mean over the last maps, brought to length 1: (B, 8 width)."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(self.input(x)))))
        x = F.relu(self.last(self.units(x)))
        return F.normalize(x.mean((2, 3)), eps=SHORTEST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.embed(x)
        return feature, self.fc(self.dropout(feature))
