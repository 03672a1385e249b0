"""What a network of clips is shown of an event: frames that are drawn anew in every epoch, or the whole, interpolated.

In tests it is shown what `realtime.representation.clip_images` picks, or `sampled_clip` interpolates, live as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor

from realtime.representation.clip_images import first_to_last
from realtime.representation.sampled_clip import interpolated
from train.clips.stored import StoredClip
from train.methods.ecstfl.config import FrameSampling

Pictures = npt.NDArray[np.uint8]  #: (T, S, S, 3), RGB

PAIR = 2  # consecutive frames of each segment, as in the code of Jiang et al.


def event_pictures(clip: StoredClip) -> Pictures:
    """The crops from onset to offset, on disk."""
    inside = clip.event()
    return clip.crops()[inside.start : inside.stop]


def shown(event: Pictures, frames: int, sampling: FrameSampling, generator: Generator) -> Pictures:
    """`frames` pictures of an event, in training."""
    if sampling == "tim":
        return interpolated(event, frames)
    return np.take(event, draw(len(event), frames, sampling, generator).numpy(), axis=0)


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
        return torch.tensor(first_to_last(length, frames))
    return torch.randperm(length, generator=generator)[:frames].sort().values
