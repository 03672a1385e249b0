"""The attention of both networks: several maps over a clip that are to differ, and one gate over a picture's channels.

The thesis names the modules (diverse attention operation, global attention) and no formula of theirs could be had:
these are this project's.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

SQUEEZE = 4  # times fewer channels between the two layers of the gate


class DiverseAttention(nn.Module):
    """H maps A_h = softmax over all positions of a 1x1x1 convolution of F, and what each sees, sum_p A_h(p) F(p)."""

    def __init__(self, channels: int, maps: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, maps, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """F (B, C, T, H, W) -> what is seen (B, maps * C), map by map, and the maps (B, maps, T * H * W)."""
        maps = self.conv(x).flatten(2).softmax(2)
        seen = maps @ x.flatten(2).transpose(1, 2)
        return seen.flatten(1), maps


class GlobalAttention(nn.Module):
    """Squeeze and excitation (Hu et al. 2018, arXiv 1709.01507), then the mean over the picture.

    The gate of each channel is one number for all places, so that it is the mean that is multiplied.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, max(channels // SQUEEZE, 1))
        self.excite = nn.Linear(max(channels // SQUEEZE, 1), channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C)."""
        mean = x.mean((2, 3))
        gate: Tensor = self.excite(F.relu(self.squeeze(mean))).sigmoid()
        return mean * gate
