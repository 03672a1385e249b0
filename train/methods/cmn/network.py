"""The head of the contrastive magnification network (CN115049957A, claims 5 to 8): projector, LSTM, classifier.

The patent gives no sizes; these, and the place of the classifier behind the LSTM, are this
project's reading. A difference from the patent: with `reference="first"` the first frame's
embedding is subtracted from all, so that what a face looks like drops out and how it changed stays.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.methods.cmn.config import Reference


def projector(width: int, projected: int) -> nn.Sequential:
    """The patent's MLP: (..., width) -> (..., projected)."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, projected))


class CmnHead(nn.Module):
    """Embeddings (B, N, width) of N source frames in order -> logits (B, classes) and the clip's vector v (B, 128).

    The LSTM reads the projector's output z as it is: its length tells how strong a movement is.
    Only the losses bring z and v to length 1.
    """

    projected, hidden = 128, 128

    def __init__(self, width: int, classes: int, reference: Reference, scale: Tensor | float) -> None:
        """`scale`, (width,) or one for all, brings the projector's inputs to about 1; it is kept, and not trained."""
        super().__init__()
        self.reference, self.width = reference, width
        self.scale: Tensor
        self.register_buffer("scale", torch.as_tensor(scale).expand(width).clone())
        self.projector = projector(width, self.projected)
        self.lstm = nn.LSTM(self.projected, self.hidden, batch_first=True)
        self.classifier = nn.Linear(self.hidden, classes)

    def relative(self, embeddings: Tensor, first: Tensor) -> Tensor:
        """The projector's inputs (..., width); `first` is their clip's first source frame, broadcast to them."""
        return (embeddings - first if self.reference == "first" else embeddings) * self.scale

    def movement(self, x: Tensor, z: Tensor) -> Tensor:
        """What the LSTM reads (B, N, 128): from inputs x (B, N, width) and their z (B, N, 128)."""
        return z

    def follow(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes) and v (B, 128), which is the LSTM's state after the last frame."""
        _, (state, _) = self.lstm(self.movement(x, z))
        return self.classifier(state[-1]), state[-1]

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, v and c after one more frame's x (B, width); h is the v before it, c the LSTM's cell (B, 128)."""
        h, c = torch.lstm_cell(self.movement(x, self.projector(x)), (h, c), *self.lstm.all_weights[0])
        return self.classifier(h), h, c

    def forward(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        x = self.relative(embeddings, embeddings[:, :1])
        return self.follow(x, self.projector(x))
