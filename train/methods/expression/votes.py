"""Cross-entropy against vote shares: "probability" training of Barsoum et al. 2016 (arXiv 1608.01041, section 4.1)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def vote_cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Mean over the batch of -sum_c q_c log p_c; logits (B, C), shares q (B, C) with rows that sum to 1."""
    return -(shares * F.log_softmax(logits, dim=1)).sum(1).mean()
