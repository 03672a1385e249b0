"""Which frames of an event a network of clips is shown: drawn anew in every epoch, spread evenly when it is tested."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from train.config import FrameSampling

PAIR = 2  # consecutive frames of each segment, as in the code of Jiang et al.


def draw(length: int, frames: int, sampling: FrameSampling, generator: Generator) -> Tensor:
    """`frames` indices below `length`, in order. "random": any that differ, as DFEW's authors train C3D.

    "segments": a pair of neighbours from each of `frames` / 2 equal parts, as they train with EC-STFL. Random
    frames of an event that has too few are those of the test.
    """
    if sampling == "segments":
        parts = -(-frames // PAIR)
        edges = torch.arange(parts + 1) * max(length - 1, 1) // parts
        first = edges[:-1] + (torch.rand(parts, generator=generator) * edges.diff()).long()
        return (first[:, None] + torch.arange(PAIR)).clamp(max=length - 1).flatten()[:frames].sort().values
    if length < frames:
        return spread(length, frames)
    return torch.randperm(length, generator=generator)[:frames].sort().values


def spread(length: int, frames: int) -> Tensor:
    """`frames` indices from the first to the last of `length` frames, evenly; repeated where there are fewer."""
    return torch.linspace(0, length - 1, frames).round().long()
