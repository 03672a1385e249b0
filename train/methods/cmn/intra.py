"""Contrast inside a clip: symmetric InfoNCE of CN115049957A (claim 7, paragraph 34).

Two views of one frame show the same intensity and attract each other; frames of the same clip
at another intensity repel both. So the space is stretched along intensity, and nothing else
differs inside a clip that could be learnt instead.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-12  #: the least length that is divided by, as in `F.normalize`


def intra_contrast(first: Tensor, second: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """The patent's L_intra, its sum over clips replaced by the mean, so that its weight does not depend on the batch.

    With all vectors brought to length 1 and sim(a, b) = exp(a . b / temperature), it is for each clip
    -1/N sum_i [log sim(a_i, b_i) / (sim(a_i, b_i) + sum_j sim(a_i, n_ij)) + the same with sim(b_i, n_ij)].

    `first`, `second`: (B, N, D), two views of N source frames; `negatives`: (B, N, S, D), S frames for each of them.
    """
    a, b = F.normalize(first, dim=-1), F.normalize(second, dim=-1)
    same = (a * b).sum(-1, keepdim=True)
    # Faster than to bring the negatives themselves to length 1, and than matrix products that are so small.
    apart = torch.stack([(negatives * x[..., None, :]).sum(-1) for x in (a, b)])
    apart = apart / negatives.norm(dim=-1).clamp(min=EPSILON)  # (2, B, N, S)
    # -log(e^p / (e^p + sum e^n)) = log(1 + sum e^(n - p)): no large number is ever subtracted from another
    return 2 * F.softplus(((apart - same) / temperature).logsumexp(-1)).mean()
