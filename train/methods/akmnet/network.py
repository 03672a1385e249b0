"""AKMNet: a ResNet-18 on every frame, its key frames, and what happens in each place of the face from one to the next.

Peng et al., arXiv 2009.09179, by the authors' code; sizes are theirs at 128 px.
"""

from __future__ import annotations

from torch import Tensor, nn

from train.methods.akmnet.key_frames import KeyFrames
from train.methods.akmnet.masked_gru import BothWays
from train.networks.resnet import ResNet

HIDDEN, LAYERS = 32, 2  # of the recurrent part, in either direction
HALVINGS = 5  # of the picture's side on its way to the last maps


class GreyResNet18(ResNet):
    """ResNet-18 for grey pictures (B, 1, S, S), whose first convolution has 5x5 places and no classifier follows.

    Its layers are 1, 2, 4 and 8 times `width` wide, 64 in the paper.
    """

    def __init__(self, width: int) -> None:
        stem, maxpool = nn.Conv2d(1, width, 5, 2, 2, bias=False), nn.MaxPool2d(3, 2, 1)
        widths = (width, 2 * width, 4 * width, 8 * width)
        super().__init__(stem, maxpool, widths, (1, 2, 2, 2), 2, 1, 0.0)
        del self.fc  # frames are not judged, and a parameter without a gradient only misleads


class AkmNet(nn.Module):
    """Clips (B, 1, T, S, S) and which of their T places are frames (B, T) -> logits (B, classes), and two of (B, T).

    They are how near each frame is to the whole clip, and whether it is a key frame. T and S are fixed, for graphs are.
    """

    def __init__(self, classes: int, frames: int, size_px: int, width: int, dropout: float) -> None:
        super().__init__()
        self.frames, self.cells = frames, side_of(size_px) ** 2
        self.encoder = GreyResNet18(width)
        self.key_frames = KeyFrames(self.encoder.width)
        self.places = BothWays(self.encoder.width, HIDDEN, frames, LAYERS)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.cells * 2 * HIDDEN, classes)

    def forward(self, clips: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pictures = clips.transpose(1, 2).flatten(0, 1)  # (B T, 1, S, S)
        maps = self.encoder.maps(pictures).flatten(2)  # (B T, width, cells)
        near, chosen = self.key_frames(maps.mean(2).view(-1, self.frames, self.encoder.width), there)
        return self.fc(self.dropout(self.follow(maps, chosen))), near, chosen

    def follow(self, maps: Tensor, chosen: Tensor) -> Tensor:
        """Maps (B T, width, cells), each place a sequence of its own; the mean of its states over the chosen frames.

        (B, cells * 64)
        """
        x = maps.view(-1, self.frames, self.encoder.width, self.cells).permute(0, 3, 1, 2).flatten(0, 1)
        mask = chosen[:, None, :, None].expand(-1, self.cells, -1, -1).flatten(0, 1)  # (B cells, T, 1)
        states = self.places(x, mask)  # (B cells, T, 64)
        mean: Tensor = (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        return mean.view(-1, self.cells * mean.shape[1])


def side_of(size_px: int) -> int:
    """The side of the last maps: 4 at 128 px."""
    for _ in range(HALVINGS):
        size_px = (size_px + 1) // 2
    return size_px
