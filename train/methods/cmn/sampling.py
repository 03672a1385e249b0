"""Which frames of a clip are looked at: source frames, and the negatives that are held against them (CN115049957A).

The patent calls d_ij = u_i . u_ij a distance and draws negatives by softmax(d), "so that farther
frames are likelier". A dot product is a similarity: as written, the nearest frames are the
likeliest, and with embeddings of length 20 to 30 almost surely. "far" does what the text says,
"patent_dot" what the formula says, "uniform" neither; which one is better is an ablation.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from train.methods.cmn.config import Sampling

EPSILON = 1e-6


def source_frames(lengths: Tensor, frames: int, generator: Generator) -> Tensor:
    """One random frame of each of `frames` equal parts: lengths (B,) -> indices (B, frames), in order.

    At test time `realtime.representation.embedding_sequence.spread` takes the parts' centres instead. Shorter clips
    repeat frames.
    """
    place = torch.rand((len(lengths), frames), generator=generator, dtype=torch.float64)
    parts = torch.arange(frames, dtype=torch.float64) + place
    return torch.minimum((parts * lengths[:, None] / frames).long(), lengths[:, None] - 1)


def candidates(sources: Tensor, lengths: Tensor, negatives: int) -> Tensor:
    """Which frames may be whose negatives: sources (B, N), lengths (B,) -> bool (B, N, longest).

    Those that are no source frame of the clip; where fewer than `negatives` remain, all but the source frame itself.
    """
    frame = torch.arange(int(lengths.max()))
    there = frame < lengths[:, None]
    is_source = (sources[..., None] == frame).any(1)
    remaining = there & ~is_source
    few = remaining.sum(1, keepdim=True) < negatives
    others = there[:, None] & (sources[..., None] != frame)
    return torch.where(few[..., None], others, remaining[:, None])


def log_weights(sources: Tensor, clips: Tensor, allowed: Tensor, sampling: Sampling, sharpness: float) -> Tensor:
    """Logarithms of the probabilities of the negatives, short of a constant for each source frame.

    `sources` (B, N, D) and `clips` (B, T, D): embeddings as the encoder gives them; `allowed` (B, N, T)
    -> (B, N, T), -inf where not allowed. "far" is sharpness times the cosine distance, standardised
    over the allowed frames of each source frame: neither the embeddings' scale nor the clip's strength matters.
    """
    if sampling == "uniform":
        weights = torch.zeros(allowed.shape)
    elif sampling == "patent_dot":
        weights = sources @ clips.transpose(1, 2)
    else:
        distance = 1 - F.normalize(sources, dim=-1) @ F.normalize(clips, dim=-1).transpose(1, 2)
        weights = sharpness * _standardise(distance, allowed)
    return weights.masked_fill(~allowed, -torch.inf)


def _standardise(distance: Tensor, allowed: Tensor) -> Tensor:
    count = allowed.sum(-1, keepdim=True).clamp(min=1)
    mean = (distance * allowed).sum(-1, keepdim=True) / count
    variance = ((distance - mean) ** 2 * allowed).sum(-1, keepdim=True) / count
    return (distance - mean) / (variance.sqrt() + EPSILON)


def draw(weights: Tensor, count: int, generator: Generator) -> Tensor:
    """`count` frames for each row, without replacement: log-weights (B, N, T) -> indices (B, N, count).

    Adding Gumbel noise and taking the largest is drawing one after another from what is left
    (Yellott 1977; Kool et al. 2019, arXiv 1903.06059). Rows with fewer than `count` frames are
    drawn with replacement; a row with none raises ValueError.
    """
    left = torch.isfinite(weights).sum(-1)
    if int(left.min()) < 1:
        raise ValueError("a source frame has no other frame to be held against; clips of at least 2 frames are needed")
    repeated = torch.multinomial(weights.softmax(-1).flatten(0, 1), count, replacement=True, generator=generator)
    repeated = repeated.view(*weights.shape[:2], count)
    if weights.shape[-1] < count:
        return repeated
    uniform = torch.rand(weights.shape, generator=generator, dtype=torch.float64).clamp(min=1e-300)
    single = (weights - torch.log(-torch.log(uniform))).topk(count, dim=-1).indices
    return torch.where(left[..., None] >= count, single, repeated)
