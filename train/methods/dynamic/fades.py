"""Faces that go from their rest to an expression of somebody else's picture, mixed of embeddings.

Clips that are warped give their class away by which units move, and a head that reads nothing else of them is wrong
on faces that move otherwise. Here the end is what a picture really shows, and the way there says nothing: frame t is
N(t) + level(t) (E - mean N), with N a neutral face that blinks, speaks and sways, and E the picture's embedding at its
apex. A part of them is held from the first frame on. Another person's embedding stands in for one's own, which is as
good as the encoder is at leaving out who somebody is; and the path between the two is a straight line.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from train.methods.dynamic.enactments import MANNERS, Enactments
from train.synthesis.script.emotions import LABELS

FADED = 1  # the seed of the fades that calibrate and that are scored
HELD = 0.25  # share of those that show their expression throughout
HOLD = (0.2, 0.7)  # share of the time from apex to offset that the expression stays


def faded(clips: Enactments, count: int, generator: Generator) -> Enactments:
    """`count` clips of neutral faces of `clips` that come to show its pictures; as many of each class, about."""
    still = (clips.manners == MANNERS.index("still")).nonzero()[:, 0]
    shown = (clips.manners != MANNERS.index("forward")).nonzero()[:, 0]
    hosts = still[torch.randint(len(still), (count,), generator=generator)]
    weights = 1.0 / torch.bincount(clips.labels[shown], minlength=len(LABELS))[clips.labels[shown]].double()
    guests = shown[torch.multinomial(weights, count, replacement=True, generator=generator)]
    level = _level(clips.times[hosts], clips.moments[hosts], generator)
    apex = (clips.times[guests] - clips.moments[guests, 1:2]).abs().argmin(1)

    def mixed(x: Tensor) -> Tensor:
        """(K, T, D) -> (count, T, D)."""
        away = x[guests, apex] - x[hosts].mean(1)
        return x[hosts] + level[:, :, None] * away[:, None]

    manners = torch.full_like(hosts, MANNERS.index("fade"))
    return Enactments(
        mixed(clips.embeddings),
        mixed(clips.logits),  # they are linear in the embedding
        clips.times[hosts],
        clips.moments[hosts],
        clips.labels[guests],
        manners,
    )


def with_fades(clips: Enactments) -> Enactments:
    """`clips` to calibrate or to score with: as many fades among them as clips that were filmed, always the same."""
    return joined(clips, faded(clips, len(clips), torch.Generator().manual_seed(FADED)))


def joined(*parts: Enactments) -> Enactments:
    """The clips of all `parts`."""
    return Enactments(*(torch.cat([getattr(part, name) for part in parts]) for name in Enactments.__slots__))


def _level(times: Tensor, moments: Tensor, generator: Generator) -> Tensor:
    """How much of the expression each frame shows: (K, T), minimum jerk up and down, as `strokes.ease`."""
    stay, held = torch.rand((2, len(times), 1), generator=generator, dtype=torch.float64)
    onset, apex, offset = moments.unsqueeze(2).unbind(1)
    release = apex + (HOLD[0] + (HOLD[1] - HOLD[0]) * stay) * (offset - apex)
    x = torch.minimum((times - onset) / (apex - onset), (offset - times) / (offset - release)).clamp(0.0, 1.0)
    eased = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    return torch.where(held < HELD, 1.0, eased).float()
