"""Focal loss (Lin et al. 2017, arXiv 1708.02002): what is already told well counts less, so rare classes count more."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TINY = torch.finfo(torch.float32).tiny


def focal(logits: Tensor, labels: Tensor, gamma: float, alpha: Tensor | None = None) -> Tensor:
    """Mean over the batch of -alpha_c (1 - p_c)^gamma log p_c, c being the true class (equations 4 and 5).

    `logits`: (B, C); `labels`: (B,); `alpha`: (C,), or None for 1. With gamma 0 it is cross-entropy.
    The mean divides by B and not, as torch's weighted cross-entropy does, by the sum of the alphas.
    """
    cost = F.cross_entropy(logits, labels, reduction="none")  # -log p
    focus = (TINY - (-cost).expm1()).pow(gamma)  # without TINY, a sure answer has the gradient 0 * inf if gamma < 1
    if alpha is not None:
        focus = alpha.to(labels.device)[labels] * focus
    return torch.dot(cost, focus) / len(labels)


def inverse_frequency(counts: Tensor) -> Tensor:
    """Weights alpha (C,) in inverse proportion to `counts` (C,), samples of each class; its mean is 1.

    A class without samples gets 0 and stays out of the mean: there is nothing that its weight could be applied to.
    """
    present = counts > 0
    if not bool(present.any()):
        raise ValueError(f"counts {counts.tolist()} are of no sample at all; count the training labels")
    inverse = torch.where(present, 1.0 / counts.clamp(min=1), 0.0)
    return inverse * present.sum() / inverse.sum()
