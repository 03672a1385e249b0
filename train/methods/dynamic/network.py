"""A recurrent head that judges a dynamic expression by its frames' embeddings: a gated recurrent unit over them.

Each frame is read twice: as it is, which says what the face shows, and against the first one, which says what has
changed. The first alone takes a person's resting face for an expression; the second alone does not know a face that
was not at rest when the event began. The sizes are this project's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DynamicHead(nn.Module):
    """Embeddings (B, N, width) in order -> the feature (B, 128) that the clustering loss sees, and logits (B, classes).

    The feature is the unit's state after the last frame.
    """

    read, hidden = 128, 128

    def __init__(self, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = width
        self.scale: Tensor  # kept with the weights, and not trained
        self.register_buffer("scale", torch.tensor(1.0))
        self.reads = nn.Linear(2 * width, self.read)
        self.gru = nn.GRU(self.read, self.hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.hidden, classes)

    def bring_to_one(self, embeddings: Tensor) -> None:
        """From now on, embeddings of such a size are about 1 to the weights."""
        self.scale.fill_(1.0 / max(float(embeddings.square().mean().sqrt()), 1e-6))

    def forward(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        x = embeddings * self.scale
        x = torch.cat([x, x - x[:, :1]], 2)
        _, state = self.gru(self.dropout(self.reads(self.dropout(x)).relu()))
        return state[-1], self.fc(self.dropout(state[-1]))
