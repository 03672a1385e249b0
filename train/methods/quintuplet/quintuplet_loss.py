"""The cross-modal quintuplet loss: an anchor is nearer to its own class than to a hard one, in either mode and across.

The thesis (Sun 2023, part 2) gives the five members and no formula; which pairs are held against each other, the
distance and the margins are this project's.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

#: Of positive and negative micro, positive and negative macro: what pulls, what pushes, and which margin that has.
TERMS = ((0, 1, "micro"), (2, 3, "macro"), (0, 3, "across"), (2, 1, "across"))


def quintuplet(features: Tensor, there: Tensor, margins: dict[str, float]) -> Tensor:
    """Mean over B groups of the sum of [d(a, positive) - d(a, negative) + margin]_+ over `TERMS`.

    `features` (B, 3 or 5, D): anchor, micro near and far, macro near and far; d(a, b) is 1 - cos(a, b).
    `there` (B, 4) bool: a term of which either is not there costs 0.
    """
    anchor, others = features[:, :1], features[:, 1:]
    distance = 1.0 - F.cosine_similarity(anchor, others, dim=2)  # (B, 2 or 4)
    cost = distance.new_zeros(len(features))
    for pull, push, margin in TERMS:
        if max(pull, push) < distance.shape[1]:
            hinge = F.relu(distance[:, pull] - distance[:, push] + margins[margin])
            cost = cost + hinge * (there[:, pull] & there[:, push])
    return cost.mean()
