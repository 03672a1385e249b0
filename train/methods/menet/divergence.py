"""What makes maps of attention look at different places: how much they overlap, to be made small.

The thesis names a divergence loss and gives no formula that could be had: this one is this project's.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def divergence(maps: Tensor) -> Tensor:
    """2 / (H (H - 1)) sum_{h < g} <A_h, A_g>, the mean over the batch; maps (B, H, P), H at least 2, none below 0.

    Each map counts as a vector of length 1: 0 where no two share a place, 1 where all are alike.
    """
    count = maps.shape[1]
    unit = F.normalize(maps, dim=2)
    alike = unit @ unit.transpose(1, 2)  # (B, H, H)
    rows, columns = torch.triu_indices(count, count, offset=1)
    return alike[:, rows, columns].mean()
