"""One temperature for all logits, so that probabilities mean what they say (Guo et al. 2017, arXiv 1706.04599)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STEPS, MOST = 60, 50.0


def calibrate(last: nn.Linear, logits: Tensor, labels: Tensor) -> float:
    """Fold the temperature that fits into `last`, the layer that made the logits, and return it."""
    found = temperature(logits, labels)
    with torch.no_grad():
        last.weight.div_(found)
        last.bias.div_(found)
    return found


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The t in [1/50, 50] with the least cross-entropy of softmax(logits / t); logits (K, C), labels (K,).

    The targets are softened as by Platt (1999): (K + 1) / (K + 2) for the right class, the rest for
    the others. So a few clips that were all judged rightly do not ask for endless certainty.
    """
    count, classes = logits.shape
    rest = 1 / ((count + 2) * (classes - 1))
    targets = torch.full((count, classes), rest, dtype=torch.float64)
    targets[torch.arange(count), labels] = (count + 1) / (count + 2)
    x = logits.double()
    low, high = -math.log(MOST), math.log(MOST)  # of log(1 / t), in which the slope rises through 0 once
    for _ in range(STEPS):
        middle = (low + high) / 2
        slope = (((x * math.exp(middle)).softmax(1) - targets) * x).sum()
        low, high = (low, middle) if slope > 0 else (middle, high)
    return math.exp(-low)
