"""Expression clustering: EC-STFL of CN112101119A (claim 3) and of Jiang et al. 2020 (arXiv 2008.05924, DFEW).

Each clip's distance to its own class is divided by its distance to the others. The authors'
published code computes something else; both are here.
"""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-6  # of every divisor: the patent's has none, the authors' code has this one


def ecstfl(features: Tensor, labels: Tensor, p: float = 2.0) -> Tensor:
    """Mean over the clips of `ratios`; the patent's sum would make the weight depend on the batch."""
    return ratios(features, labels, p).mean()


def ratios(features: Tensor, labels: Tensor, p: float = 2.0) -> Tensor:
    """(B,): for clip i, sum_{j in N_i} |x_i - x_j| / |N_i| over sum_{j not in N_i} |x_i - x_j| / |N_j|.

    `features`: (B, D), `labels`: (B,), `p`: 1 or 2, of the norm. N_i is i's class in the batch, i included.
    The divisor is the sum over the other classes of the mean distance to each. A clip alone in its
    class costs 0, and so does every clip of a batch of one class, in which nothing is to be told apart.
    """
    distance, same = _pairs(features, labels, p)
    size = same.sum(1)
    own = (distance * same).sum(1) / size
    others = (distance * (1 - same) / size).sum(1)
    return (own / (others + FLOOR)).masked_fill(size == len(labels), 0.0)


def ecstfl_official(features: Tensor, labels: Tensor) -> Tensor:
    """What the authors' code minimises: mean_i of own_i * near_i / B, in L1 distances; shapes as in `ratios`.

    own_i is the mean distance to i's class, i included, near_i the sum of the *inverse* distances to the M_i
    clips of other classes, divided by M_i + 1. With the second 1 / B it is much smaller than `ecstfl`: its
    authors weigh it by 10. And it is not free of scale where the floor counts.
    """
    distance, same = _pairs(features, labels, 1.0)
    size = same.sum(1)
    own = (distance * same).sum(1) / (size + FLOOR)
    near = ((1 - same) / (distance + FLOOR)).sum(1) / (len(labels) - size + 1 + FLOOR)
    return (own * near).mean() / len(labels)


def _pairs(features: Tensor, labels: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Distances (B, B), and whether of one class (B, B), as 1 or 0. The gradient of a distance of 0 is 0."""
    # Never by way of |a|^2 + |b|^2 - 2ab, which finds equal clips apart and then pulls them in a random direction.
    distance = torch.cdist(features, features, p, compute_mode="donot_use_mm_for_euclid_dist")
    return distance, (labels[:, None] == labels).to(distance)  # products with it are faster than choices by it
