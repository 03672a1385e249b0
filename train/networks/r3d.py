"""R3D-18 (Tran et al. 2018, arXiv 1711.11248) with the parameter names of torchvision's `video.r3d_18`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from train.networks.resnet import initialise


class BasicBlock3d(nn.Module):
    """Two 3x3x3 convolutions and a shortcut: ResNet's block with time as a third direction."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_layer(inputs, outputs, 3, stride), nn.ReLU())
        self.conv2 = nn.Sequential(*_layer(outputs, outputs, 3, 1))
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(*_layer(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(self.conv1(x)) + self.downsample(x))


class R3D18(nn.Module):
    """Clips (B, 3, T, S, S) -> feature (B, 8 first) and class logits (B, classes); any T and S.

    The feature is what `avgpool` gives. Three of the four stages halve the time as well as the side. The published
    network has 64 channels in its `first` stage, and twice as many in each of the others as in the one before.
    """

    def __init__(self, classes: int, dropout: float = 0.0, first: int = 64) -> None:
        super().__init__()
        self.width = 8 * first
        stem = nn.Conv3d(3, first, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm3d(first), nn.ReLU())
        self.layer1 = nn.Sequential(BasicBlock3d(first, first, 1), BasicBlock3d(first, first, 1))
        self.layer2 = nn.Sequential(BasicBlock3d(first, 2 * first, 2), BasicBlock3d(2 * first, 2 * first, 1))
        self.layer3 = nn.Sequential(BasicBlock3d(2 * first, 4 * first, 2), BasicBlock3d(4 * first, 4 * first, 1))
        self.layer4 = nn.Sequential(BasicBlock3d(4 * first, 8 * first, 2), BasicBlock3d(8 * first, 8 * first, 1))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.width, classes)
        self.apply(initialise)

    def maps(self, x: Tensor) -> Tensor:
        """(B, 3, T, S, S) -> (B, 8 first, T / 8, S / 16, S / 16), rounded up."""
        found: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return found

    def embed(self, x: Tensor) -> Tensor:
        """(B, 3, T, S, S) -> (B, 8 first)."""
        pooled: Tensor = self.avgpool(self.maps(x)).flatten(1)
        return pooled

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.embed(x)
        return feature, self.fc(self.dropout(feature))


def _layer(inputs: int, outputs: int, side: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv3d(inputs, outputs, side, stride, side // 2, bias=False), nn.BatchNorm3d(outputs)
