"""A linear read-out of a field, and what of it stands clear of what it cannot explain.

    s = W f        q = Q s        n = sqrt(floor^2 + |g - D s|^2 / P)        claim k is told where q_k > t_k n

f is the field, g the same as means of two by two cells, of which there are P numbers. D gives back what the readings s
move, so n is how much of the field no reading accounts for: as in a regression, a coefficient is believed where it is
large beside what is left over. Thresholds t come with the weights, and so does the scale of the strengths.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.methods.units.readings import Readings

#: Of the field's, a side of the cells that the rest is measured on: half of the numbers' noise is between them.
CELLS = 2
NEVER = 1e6  #: a threshold that nothing reaches


class UnitNet(nn.Module):
    """Fields (B, 2, S, S) -> logits (B, C), above 0 where a claim is told, and strengths (B, C) of the labels.

    Claims are, of a unit with sides, left, right, left beyond right and right beyond left, of another its mean. A
    unit is told where either side is.
    """

    claims: Tensor
    thresholds: Tensor
    scale: Tensor
    told: Tensor
    strong: Tensor
    floor: Tensor

    def __init__(self, readings: Readings, size_px: int, floor: float, classes: int) -> None:
        super().__init__()
        cells = 2 * (size_px // CELLS) ** 2
        self.read = nn.Linear(2 * size_px**2, len(readings), bias=False)
        self.explain = nn.Linear(len(readings), cells, bias=False)
        claims, told, strong = _layout(readings)
        self.register_buffer("claims", claims)  # Q (M, R)
        self.register_buffer("thresholds", torch.full((len(claims),), NEVER))
        self.register_buffer("scale", torch.ones(classes))
        # Which two claims each label is the larger of; what was not laid out, as in trials, is the first.
        self.register_buffer("told", torch.tensor(_filled(told, classes)).T.contiguous())
        self.register_buffer("strong", torch.tensor(_filled(strong, classes)).T.contiguous())
        self.register_buffer("floor", torch.tensor(floor))
        self.pool = nn.AvgPool2d(CELLS)

    def forward(self, field: Tensor) -> tuple[Tensor, Tensor]:
        claims, noise = self.parts(field)
        clear = claims - noise[:, None] * self.thresholds
        logits = torch.maximum(clear[:, self.told[0]], clear[:, self.told[1]])
        return logits, torch.maximum(claims[:, self.strong[0]], claims[:, self.strong[1]]) * self.scale

    def parts(self, field: Tensor) -> tuple[Tensor, Tensor]:
        """Claims (B, M) before any threshold, and the noise (B,) of each field, eye distances."""
        readings = self.read(field.flatten(1))
        rest = self.pool(field).flatten(1) - self.explain(readings)
        return readings @ self.claims.T, torch.sqrt(self.floor**2 + rest.square().mean(1))


def _layout(readings: Readings) -> tuple[Tensor, list[tuple[int, int]], list[tuple[int, int]]]:
    """Claims (M, R); by label, the two of which the larger is told, and the two of which the larger is its strength."""
    claims: list[Tensor] = []
    told, strong = list[tuple[int, int]](), list[tuple[int, int]]()
    unit = torch.eye(len(readings))
    for number, (_, sided) in enumerate(readings.pairs()):
        left, right, at = unit[2 * number], unit[2 * number + 1], len(claims)
        if sided:
            claims += [left, right, left - right, right - left]
            told += [(at, at + 1), (at + 2, at + 2), (at + 3, at + 3)]
            strong += [(at, at + 1), (at, at), (at + 1, at + 1)]
        else:
            claims.append((left + right) / 2)
            told.append((at, at))
            strong.append((at, at))
    return torch.stack(claims), told, strong


def _filled(pairs: list[tuple[int, int]], classes: int) -> list[tuple[int, int]]:
    return (pairs + [(0, 0)] * classes)[:classes]
