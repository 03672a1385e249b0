"""SE-ResNeXt (Xie et al. 2017, arXiv 1611.05431; Hu et al. 2018, arXiv 1709.01507) with timm's names.

As it stands it is SE-ResNeXt-50 32x4d, whose names are those of timm's `seresnext50_32x4d`, so its checkpoints load.
Fewer blocks and groups make it slim: every width is a multiple of the number of groups. With blocks (3, 3, 3, 3) it is
table 1 of Ren et al. 2024 (doi 10.16055/j.issn.1672-058X.2024.0001.003), which calls that 50 layers all the same: it
has 38, and no public checkpoint.

Without the squeeze it is ResNeXt-50 32x4d, and with one group, which is half as wide, ResNet-50: what Ren et al. hold
it against. Their names and sizes are those of torchvision's `resnext50_32x4d` and `resnet50`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from train.networks.resnet import initialise

Blocks = tuple[int, int, int, int]

STANDARD: Blocks = (3, 4, 6, 3)  # of each stage: 50 layers
GROUPS = 32  # each of 4 channels in the first stage, of twice as many in every later one
REDUCTION = 16  # of the squeeze: 256 channels are judged by 16, 2048 by 128


class SqueezeExcite(nn.Module):
    """Weighs each channel by what all channels are over the whole picture: x * sigmoid(W2 relu(W1 mean(x))).

    (Ren et al. print W2 twice in equation 3; the inner one is W1.)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight: Tensor = self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()
        return x * weight


class Bottleneck(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions, the channels weighed, and a shortcut; the 3x3 one takes the stride.

    With one group the inner width is a quarter of the outer one (He et al. 2016, arXiv 1512.03385), with more a half.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, groups: int = GROUPS, *, squeeze: bool = True) -> None:
        super().__init__()
        inner = outputs // (2 if groups > 1 else 4)
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.se = SqueezeExcite(outputs) if squeeze else nn.Identity()
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.se(self.bn3(self.conv3(y)))
        return F.relu(y + self.downsample(x))


class SeResNeXt(nn.Module):
    """Pictures (B, 3, S, S) -> feature (B, width), which is the average over the picture, and logits (B, classes)."""

    def __init__(
        self,
        classes: int,
        blocks: Blocks = STANDARD,
        dropout: float = 0.0,
        groups: int = GROUPS,
        *,
        grouped: bool = True,
        squeeze: bool = True,
    ) -> None:
        """`groups` sets the widths, also where the convolutions are whole (`grouped` is false)."""
        super().__init__()
        stem, first = 2 * groups, 8 * groups
        make = partial(Bottleneck, groups=groups if grouped else 1, squeeze=squeeze)
        self.width = 8 * first
        self.conv1 = nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(make, stem, first, blocks[0], 1)
        self.layer2 = _stage(make, first, 2 * first, blocks[1], 2)
        self.layer3 = _stage(make, 2 * first, 4 * first, blocks[2], 2)
        self.layer4 = _stage(make, 4 * first, 8 * first, blocks[3], 2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.width, classes)
        self.apply(_initialise)

    def embed(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, width)."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.embed(x)
        return feature, self.fc(self.dropout(feature))


class FrozenNorm(SeResNeXt):
    """Its batch normalisation always uses the statistics that it was loaded with; scale and shift are learnt."""

    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def _stage(
    make: Callable[[int, int, int], Bottleneck], inputs: int, outputs: int, blocks: int, stride: int
) -> nn.Sequential:
    rest = (make(outputs, outputs, 1) for _ in range(blocks - 1))
    return nn.Sequential(make(inputs, outputs, stride), *rest)


def _initialise(module: nn.Module) -> None:
    """Each block begins as its shortcut alone (Goyal et al. 2017, arXiv 1706.02677, section 5.1)."""
    initialise(module)
    if isinstance(module, Bottleneck):
        nn.init.zeros_(module.bn3.weight)
