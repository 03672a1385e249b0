"""A small convolutional network on every field of an event, and an LSTM (Hochreiter and Schmidhuber 1997) over them.

In the spirit of DTSCNN (Peng et al. 2017) and ATNet (Peng et al. 2019, arXiv 1904.03699): flow, not pictures; shallow,
for little is known; the order of the frames by a recurrent layer. The sizes are this project's.
"""

from __future__ import annotations

from torch import Tensor, nn


class MotionNet(nn.Module):
    """Fields (B, N, 3, S, S) in order -> logits (B, classes) and the event's vector (B, 96); S is 28, any N.

    The crop is canonical, so where something moves says what moved: places are kept, not averaged away.
    """

    planes, width, hidden = (16, 32, 64), 64, 96

    def __init__(self, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        first, second, third = self.planes
        self.encoder = nn.Sequential(
            *_block(3, first), *_block(first, second), *_block(second, third), nn.Flatten(),
            nn.Dropout(dropout), nn.Linear(third * 3 * 3, self.width), nn.ReLU(),
        )  # fmt: skip
        self.lstm = nn.LSTM(self.width, self.hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.hidden, classes)

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.encoder(fields.flatten(0, 1)).view(fields.shape[0], fields.shape[1], self.width)
        _, (state, _) = self.lstm(seen)
        return self.fc(self.dropout(state[-1])), state[-1]


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    """Half the side, rounded down: 28, 14, 7, 3."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
