"""Contrast inside a clip: symmetric InfoNCE of CN115049957A (claim 7, paragraph 34).

Two views of one frame show the same intensity and attract each other; frames of the same clip
at another intensity repel both. So the space is stretched along intensity, and nothing else
differs inside a clip that could be learnt instead.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def intra_contrast(first: Tensor, second: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """The patent's L_intra, its sum over clips replaced by the mean, so that its weight does not depend on the batch.

    With all vectors brought to length 1 and sim(a, b) = exp(a . b / temperature), it is for each clip
    -1/N sum_i [log sim(a_i, b_i) / (sim(a_i, b_i) + sum_j sim(a_i, n_ij)) + the same with sim(b_i, n_ij)].

    `first`, `second`: (B, N, D), two views of N source frames; `negatives`: (B, N, S, D), S frames for each of them.
    """
    a, b, other = (F.normalize(x, dim=-1) for x in (first, second, negatives))
    same = (a * b).sum(-1)
    return _ratio(same, a, other, temperature) + _ratio(same, b, other, temperature)


def _ratio(same: Tensor, anchor: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Mean of -log(positive / (positive + negatives)); `same` (B, N), `anchor` (B, N, D), `other` (B, N, S, D)."""
    apart = (other * anchor[..., None, :]).sum(-1)  # a batched matrix product of so small matrices is slower
    logits = (same[..., None] - apart) / temperature
    # -log(e^p / (e^p + sum e^n)) = log(1 + sum e^(n - p)): no large number is ever subtracted from another
    return F.pad(-logits, (1, 0)).logsumexp(-1).mean()
