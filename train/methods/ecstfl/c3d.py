"""C3D (Tran et al. 2015, arXiv 1412.0767) as DFEW's authors train it: normalised, and with their parameter names.

Every convolution is followed by a batch normalisation, which the first C3D has not, and the last
pooling is padded in space alone, so that 112 px end as 4x4 and not as 3x3.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class C3D(nn.Module):
    """Clips (B, 3, 16, 112, 112) -> feature (B, 4096) and class logits (B, classes).

    The feature is fc7 after its ReLU and before its dropout: where CN112101119A attaches its loss. (The
    authors' code takes it after the dropout, which makes two equal clips differ.) Other clip sizes do not fit fc6.
    """

    width = 4096

    def __init__(self, classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1, self.bn1 = _layer(3, 64)
        self.conv2, self.bn2 = _layer(64, 128)
        self.conv3a, self.bn3a = _layer(128, 256)
        self.conv3b, self.bn3b = _layer(256, 256)
        self.conv4a, self.bn4a = _layer(256, 512)
        self.conv4b, self.bn4b = _layer(512, 512)
        self.conv5a, self.bn5a = _layer(512, 512)
        self.conv5b, self.bn5b = _layer(512, 512)
        self.fc6 = nn.Linear(512 * 4 * 4, self.width)
        self.fc7 = nn.Linear(self.width, self.width)
        self.fc8 = nn.Linear(self.width, classes)
        self.dropout = nn.Dropout(dropout)

    @property
    def fc(self) -> nn.Linear:
        """The classifier, as other networks call it: the parameters keep the authors' name."""
        return self.fc8

    def convolve(self, x: Tensor) -> Tensor:
        """(B, 3, 16, 112, 112) -> (B, 512, 1, 4, 4)."""
        x = F.max_pool3d(F.relu(self.bn1(self.conv1(x))), (1, 2, 2))  # 16 x 56 x 56
        x = F.max_pool3d(F.relu(self.bn2(self.conv2(x))), 2)  # 8 x 28 x 28
        x = F.relu(self.bn3a(self.conv3a(x)))
        x = F.max_pool3d(F.relu(self.bn3b(self.conv3b(x))), 2)  # 4 x 14 x 14
        x = F.relu(self.bn4a(self.conv4a(x)))
        x = F.max_pool3d(F.relu(self.bn4b(self.conv4b(x))), 2)  # 2 x 7 x 7
        x = F.relu(self.bn5a(self.conv5a(x)))
        return F.max_pool3d(F.relu(self.bn5b(self.conv5b(x))), 2, padding=(0, 1, 1))  # 1 x 4 x 4

    def embed(self, x: Tensor) -> Tensor:
        """(B, 3, 16, 112, 112) -> (B, 4096), none below 0."""
        x = self.dropout(F.relu(self.fc6(self.convolve(x).flatten(1))))
        return F.relu(self.fc7(x))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.embed(x)
        return feature, self.fc8(self.dropout(feature))


def _layer(inputs: int, outputs: int) -> tuple[nn.Conv3d, nn.BatchNorm3d]:
    # The bias does nothing before a normalisation, but the authors' checkpoints hold it.
    return nn.Conv3d(inputs, outputs, 3, padding=1), nn.BatchNorm3d(outputs)
