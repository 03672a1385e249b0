"""Classes alike: those of few samples are shown again until there are as many as of the largest."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def balanced(labels: Tensor, generator: Generator) -> Tensor:
    """Rows of `labels` (K,), in a random order: of each class as many as the largest has, none far more than another.

    Every sample of a class comes as often as any other of it, or once more; which ones do is drawn.
    """
    counts = torch.bincount(labels)
    most, rows = int(counts.max()), []
    for label in counts.nonzero().flatten():
        own = (labels == label).nonzero().flatten()
        again = own[torch.randperm(len(own), generator=generator)[: most % len(own)]]
        rows += [own.repeat(most // len(own)), again]
    found = torch.cat(rows)
    return found[torch.randperm(len(found), generator=generator)]
