"""Focal loss (Lin et al. 2017, arXiv 1708.02002): what is already told well counts less, so rare classes count more."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def focal(logits: Tensor, labels: Tensor, gamma: float, alpha: Tensor | None = None) -> Tensor:
    """Mean over the batch of -alpha_c (1 - p_c)^gamma log p_c, c being the true class (equations 4 and 5).

    `logits`: (B, C), C at least 2; `labels`: (B,); `alpha`: (C,), or None for 1. With gamma 0 it is cross-entropy.
    The mean divides by B and not, as torch's weighted cross-entropy does, by the sum of the alphas.
    """
    itself = F.one_hot(labels, logits.shape[1]).bool()
    whole = logits.logsumexp(1)
    log_p = logits.gather(1, labels[:, None])[:, 0] - whole
    # log(1 - p) from the other classes' logits: with 1 - p itself, a sure answer has no gradient but 0 * inf
    log_rest = logits.masked_fill(itself, -torch.inf).logsumexp(1) - whole
    cost = -(gamma * log_rest).exp() * log_p
    return (cost if alpha is None else alpha[labels] * cost).mean()


def inverse_frequency(counts: Tensor) -> Tensor:
    """Weights alpha (C,) in inverse proportion to `counts` (C,), samples of each class; its mean is 1.

    A class without samples gets 0 and stays out of the mean: there is nothing that its weight could be applied to.
    """
    present = counts > 0
    if not bool(present.any()):
        raise ValueError(f"counts {counts.tolist()} are of no sample at all; count the training labels")
    inverse = torch.where(present, 1.0 / counts.clamp(min=1), 0.0)
    return inverse * present.sum() / inverse.sum()
