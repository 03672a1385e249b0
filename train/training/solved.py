"""What is learned at once, in closed form: beside `loop`, for networks whose best weights an equation gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from torch import nn

from train.config.sections import Machine, Optimiser
from train.training import loop
from train.training.curves import Curves
from train.training.loop import Job, Turns


class Solvable(Protocol):
    """What a method gives instead of a job of the loop and its optimisers."""

    @property
    def network(self) -> nn.Module:
        """What learns."""

    def solve(self) -> Mapping[str, float]:
        """Put the best weights into `network`; scores for the curve, which has one row."""


Made = tuple[Job, Optimiser | Turns] | Solvable  #: what is learned, and by which optimisers, or at once
Stage = Made | Callable[[], Made]  #: which may begin with what those before it learned, and is made after them


def learn(stage: Stage, folder: Path, machine: Machine) -> nn.Module:
    """The stage's network, learned; `folder` gets the curves, and what a killed run goes on from."""
    if not isinstance(stage, tuple) and callable(stage):
        stage = stage()
    if isinstance(stage, tuple):
        return loop.fit(*stage, folder, machine)
    folder.mkdir(parents=True, exist_ok=True)
    scores = {name: round(value, 5) for name, value in stage.solve().items()}
    with Curves(folder) as curves:
        curves.write([{"epoch": 1, **scores}])
    return stage.network
