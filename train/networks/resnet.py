"""ResNets of basic blocks (He et al. 2016, arXiv 1512.03385) with torchvision's parameter names: checkpoints load."""

from __future__ import annotations

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (figure 5, left)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x)
        y = nn.functional.relu(self.bn1(y))
        y = self.bn2(self.conv2(y))
        return nn.functional.relu(y + self.downsample(x))


class ResNet(nn.Module):
    """Pictures (B, 3, S, S) -> embedding (B, width) and class logits (B, classes).

    The embedding is what `avgpool` gives: the paper's network without its last layer. Four layers of `blocks` blocks
    each, `widths` channels wide, the first of which has the stride that `strides` says.
    """

    def __init__(
        self,
        stem: nn.Conv2d,
        maxpool: nn.Module,
        widths: tuple[int, int, int, int],
        strides: tuple[int, int, int, int],
        blocks: int,
        classes: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.width = widths[-1]
        self.conv1 = stem
        self.bn1 = nn.BatchNorm2d(stem.out_channels)
        self.maxpool = maxpool
        before = (stem.out_channels, *widths[:3])
        layers = [_layer(*each, blocks) for each in zip(before, widths, strides, strict=True)]
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.width, classes)
        self.apply(initialise)

    def maps(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) -> what the last layer makes of it, (B, width, s, s)."""
        x = self.maxpool(nn.functional.relu(self.bn1(self.conv1(x))))
        found: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return found

    def embed(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, width)."""
        pooled: Tensor = self.avgpool(self.maps(x)).flatten(1)
        return pooled

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.embed(x)
        return embedding, self.fc(self.dropout(embedding))


class ResNet18(ResNet):
    """Table 1 of the paper: 11.7 million weights, 334 million multiply-adds for a picture of 96 px."""

    width = 512

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        stem, maxpool = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.MaxPool2d(3, 2, 1)
        super().__init__(stem, maxpool, (64, 128, 256, 512), (1, 2, 2, 2), 2, classes, dropout)


class ResNet10(ResNet):
    """One narrow block a layer behind a stem of 3x3: 1.8 million weights, 44 million multiply-adds at 64 px.

    What an ordinary processor runs in about a millisecond. Its last layer keeps the size of the maps, 4x4 at 64 px:
    smaller ones would leave its convolutions little but their border.
    """

    width = 256

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        super().__init__(stem, nn.Identity(), (48, 96, 192, 256), (2, 2, 2, 1), 1, classes, dropout)


def _layer(inputs: int, outputs: int, stride: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(inputs, outputs, stride), *(BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1))
    )


def initialise(module: nn.Module) -> None:
    """What `Module.apply` is given: convolutions as He et al. 2015 (arXiv 1502.01852) have them before a ReLU."""
    if isinstance(module, nn.Conv2d | nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
