"""A shallow network of clips: three-dimensional convolutions, each followed by a pooling, then one linear layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

FIRST, LATER = (3, 5, 5), (3, 3, 3)  # kernels: frames, rows, columns


class Shallow3d(nn.Module):
    """Clips (B, inputs, T, side, side) -> (B, width), none below 0; every layer halves T and side.

    What is left at the end is averaged over time and over the cells of a grid of `cells` by `cells`. Crops are
    canonical, so where something moves says what moved; one cell is the global average, which forgets it.
    """

    def __init__(self, inputs: int, planes: Sequence[int], width: int, side: int, cells: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layers(inputs, planes))
        self.pool = nn.AvgPool2d((side >> len(planes)) // cells)
        self.fc = nn.Linear(planes[-1] * cells**2, width)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.relu(self.fc(self.pool(self.layers(x).mean(2)).flatten(1)))
        return found


def misfit(layers: int, frames: int, side: int, cells: int) -> str | None:
    """Why clips of `frames` pictures with `side` do not fit a network of so many layers; None if they do."""
    halved = 1 << layers
    if frames < halved or side % (halved * cells):
        return (
            f"{layers} layers halve {frames} frames of {side} px {layers} times and leave {cells} by {cells} cells: "
            f"give at least {halved} frames, and a side that {halved * cells} divides"
        )
    return None


def _layers(inputs: int, planes: Sequence[int]) -> Iterator[nn.Module]:
    for number, (before, after) in enumerate(zip((inputs, *planes), planes, strict=False)):
        kernel = LATER if number else FIRST
        frames, rows, columns = (side // 2 for side in kernel)
        yield nn.Conv3d(before, after, kernel, padding=(frames, rows, columns), bias=False)
        yield nn.BatchNorm3d(after)
        yield nn.ReLU()
        yield nn.MaxPool3d(2)
