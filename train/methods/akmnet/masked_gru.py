"""A gated recurrent unit that passes over some of the steps, as if they had been cut out of the sequence.

Indexing by a mask gives every sequence a length of its own, which no graph has. Where m says 1 the state becomes what
the unit makes of it, where m says 0 it stays: h = m * GRU(x, h) + (1 - m) * h, and so the choice has a gradient. Its
steps are written out; a package has them as one layer, see `passing_gru`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class MaskedGru(nn.Module):
    """Cho et al. 2014 (arXiv 1406.1078) as `nn.GRU` computes it, over `frames` steps in one direction."""

    def __init__(self, inputs: int, hidden: int, frames: int, *, backward: bool) -> None:
        super().__init__()
        self.frames, self.hidden, self.backward = frames, hidden, backward
        self.reads = nn.Linear(inputs, 3 * hidden)
        self.recalls = nn.Linear(hidden, 3 * hidden)
        for weight in self.parameters():
            nn.init.uniform_(weight, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Sequences (N, T, inputs) and their masks (N, T, 1) of 0 and 1 -> the state behind each step (N, T, hidden).

        Behind a step that is passed over it is that of the step before, 0 at first.
        """
        h = x.new_zeros(x.shape[0], self.hidden)
        read, states = self.reads(x), {}
        for t in reversed(range(self.frames)) if self.backward else range(self.frames):
            (r, z, n), (old_r, old_z, old_n) = read[:, t].chunk(3, 1), self.recalls(h).chunk(3, 1)
            r, z = (r + old_r).sigmoid(), (z + old_z).sigmoid()
            new = (1 - z) * (n + r * old_n).tanh() + z * h
            h = h + mask[:, t] * (new - h)
            states[t] = h
        return torch.stack([states[t] for t in range(self.frames)], 1)


class BothWays(nn.Module):
    """Layers of two units each, one in either direction, whose states lie behind one another: (N, T, 2 hidden)."""

    def __init__(self, inputs: int, hidden: int, frames: int, layers: int) -> None:
        super().__init__()
        widths = [inputs] + [2 * hidden] * (layers - 1)
        self.onwards = nn.ModuleList(MaskedGru(width, hidden, frames, backward=False) for width in widths)
        self.backwards = nn.ModuleList(MaskedGru(width, hidden, frames, backward=True) for width in widths)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """As `MaskedGru`; where the mask says 0 the states are of no meaning."""
        for onwards, backwards in zip(self.onwards, self.backwards, strict=True):
            x = torch.cat([onwards(x, mask), backwards(x, mask)], 2)
        return x
