"""MENet, which judges motion; IDNet, which knows people; and both with the estimator between them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from train.methods.menet.attention import DiverseAttention, GlobalAttention
from train.methods.menet.information import InformationEstimator
from train.networks.r3d import R3D18
from train.networks.resnet import ResNet

WIDTH = 256  #: of both networks' features


class MENet(nn.Module):
    """A 3-D ResNet-18 and diverse attention: clips (B, 3, T, S, S) -> feature (B, 256) and logits (B, classes)."""

    def __init__(self, classes: int, first: int, maps: int, dropout: float) -> None:
        super().__init__()
        self.trunk = R3D18(classes, first=first)
        del self.trunk.fc  # what is judged is the attention's
        self.attention = DiverseAttention(self.trunk.width, maps)
        self.feature = nn.Linear(maps * self.trunk.width, WIDTH)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(WIDTH, classes)

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` gives, and the maps (B, maps, positions)."""
        seen, maps = self.attention(self.trunk.maps(x))
        feature = F.relu(self.feature(seen))
        return feature, self.fc(self.dropout(feature)), maps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature, logits, _ = self.attend(x)
        return feature, logits


class IDNet(nn.Module):
    """Pictures (B, 3, S, S) -> feature (B, 256): a ResNet-18 and global attention."""

    def __init__(self, first: int) -> None:
        super().__init__()
        stem, widths = nn.Conv2d(3, first, 7, 2, 3, bias=False), (first, 2 * first, 4 * first, 8 * first)
        self.trunk = ResNet(stem, nn.MaxPool2d(3, 2, 1), widths, (1, 2, 2, 2), 2, 1, 0.0)
        del self.trunk.fc  # who is who is judged by `Identification`, and only while it learns
        self.attention = GlobalAttention(self.trunk.width)
        self.feature = nn.Linear(self.trunk.width, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.feature(self.attention(self.trunk.maps(x))))


class Identification(nn.Module):
    """IDNet while it learns: pictures (B, 3, S, S) -> logits (B, people)."""

    def __init__(self, idnet: IDNet, people: int) -> None:
        super().__init__()
        self.idnet, self.fc = idnet, nn.Linear(WIDTH, people)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.idnet(x))
        return logits


class MotionAndIdentity(nn.Module):
    """All that the last training holds. As a network it is MENet, and IDNet, which learned before, stays as it is."""

    def __init__(self, menet: MENet, idnet: IDNet, estimator: InformationEstimator) -> None:
        super().__init__()
        self.menet, self.idnet, self.estimator = menet, idnet, estimator

    def train(self, mode: bool = True) -> MotionAndIdentity:
        super().train(mode)
        self.idnet.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.menet(x)
        return found
