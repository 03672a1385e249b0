"""Two modes of one event are nearer to each other than to those of other events: symmetric InfoNCE.

(van den Oord et al. 2018, arXiv 1807.03748.) Other clips of the batch are negatives whatever their class.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def modes(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Mean over B events of -log softmax of their own pair, from either mode to the other, halved.

    `one`, `other`: (B, D), row by row of one event; similarity is the cosine over `temperature`.
    """
    similarity = F.normalize(one, dim=1) @ F.normalize(other, dim=1).T / temperature
    own = torch.arange(len(one), device=one.device)
    return 0.5 * (F.cross_entropy(similarity, own) + F.cross_entropy(similarity.T, own))
