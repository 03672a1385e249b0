"""Contrast between classes: the supervised contrast of CN115049957A (claim 8), which is that of Khosla et al. 2020.

The patent says both that A(k) is "the current sample's positives and their negatives" and that it
is "the other samples of the batch". The second is the one of arXiv 2004.11362, and the only one
that gives P(k) a meaning; it is taken here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def inter_contrast(clips: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Mean over k of -1/|P(k)| sum_{p in P(k)} log(exp(v_k . v_p / t) / sum_{a != k} exp(v_k . v_a / t)).

    `clips`: (B, D), brought to length 1 here; `labels`: (B,). P(k) holds the others of k's class; a
    clip without one is skipped, and a batch of such clips alone costs 0.
    """
    v = F.normalize(clips, dim=1)
    itself = torch.eye(len(v), dtype=torch.bool, device=v.device)
    # Not -inf, whose product with a share of 0 is no number.
    alike = (v @ v.T / temperature).masked_fill(itself, torch.finfo(v.dtype).min)
    positive = (labels[:, None] == labels) & ~itself
    count = positive.sum(1, keepdim=True)
    shares = positive / (count * (count > 0).sum()).clamp(min=1)
    return F.cross_entropy(alike, shares, reduction="sum")
