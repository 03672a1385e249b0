"""ResNet-18 on every frame, and a gated recurrent unit (Cho et al. 2014, arXiv 1406.1078) over its embeddings.

A fifth of the arithmetic of C3D or R3D-18 (7.8 of 39 and 41 billion products for 16 frames of 112 px), and
made for a stream: each frame goes through the encoder once, when it comes, and a question about a
window costs the recurrent part alone. The sizes are this project's.
"""

from __future__ import annotations

from torch import Tensor, nn

from train.networks.resnet import ResNet18


class ResNetGru(nn.Module):
    """Clips (B, 3, T, S, S) -> feature (B, 256) and class logits (B, classes); any T and S.

    The feature is the unit's state after the last frame. A public ResNet-18 checkpoint goes into `encoder`.
    """

    width = 256

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = ResNet18(classes)
        del self.encoder.fc  # frames are not judged, and a parameter without a gradient only misleads
        self.gru = nn.GRU(ResNet18.width, self.width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.width, classes)

    def embed(self, x: Tensor) -> Tensor:
        """Clips (B, 3, T, S, S) -> the embedding of each frame (B, T, 512)."""
        frames = x.transpose(1, 2)
        return self.encoder.embed(frames.flatten(0, 1)).view(frames.shape[0], frames.shape[1], ResNet18.width)

    def follow(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (B, T, 512) in order -> feature (B, 256) and logits (B, classes)."""
        _, state = self.gru(embeddings)
        return state[-1], self.fc(self.dropout(state[-1]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.follow(self.embed(x))
