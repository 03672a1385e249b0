"""Where the folds of a protocol are computed: here, one after another, or wherever `cluster` finds room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from train.datasets.folds import Fold
from train.training.curves import CURVE

Probabilities = npt.NDArray[np.floating[Any]]  #: (R, K, C): at R frame rates, of K clips, for C classes


class FitPredict(Protocol):
    """A method under test; it can be pickled."""

    def __call__(self, train_ids: Sequence[str], test_ids: Sequence[str], seed: int, folder: Path, /) -> Probabilities:
        """Fit a fresh model with fresh statistics to `train_ids`; probabilities of `test_ids` at each rate, in order.

        `folder` is the fold's own, for checkpoints and for the loop's curve.csv; it may hold those of an earlier try.
        """


@dataclass(frozen=True, slots=True)
class Task:
    """One fold as it is sent to whoever computes it."""

    key: str  #: of the plan that it belongs to
    fold: Fold
    seed: int
    threads: int  #: of torch: sums differ in their last bits with their number
    folder: Path  #: absolute, for whoever computes the fold may work elsewhere


@dataclass(frozen=True, slots=True, eq=False)
class FoldAnswers:
    """What comes back; the curve too, as the fold may have run on a machine with another disk."""

    probabilities: Probabilities
    curve: bytes | None


class Runner(Protocol):
    """Where folds are computed."""

    def run(self, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, FoldAnswers]]:
        """Each task with its outcome as soon as there is one, in any order."""


class Serial:
    """One fold after another, in this process."""

    def run(self, fit_predict: FitPredict, tasks: Sequence[Task]) -> Iterator[tuple[Task, FoldAnswers]]:
        for task in tasks:
            yield task, run_fold(fit_predict, task)


def run_fold(fit_predict: FitPredict, task: Task) -> FoldAnswers:
    """The same bits whatever ran before in this process and however many threads torch had."""
    task.folder.mkdir(parents=True, exist_ok=True)
    before = torch.get_num_threads()
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    try:
        found = fit_predict(task.fold.train, task.fold.test, task.seed, task.folder)
    finally:
        torch.set_num_threads(before)
    curve = task.folder / CURVE
    return FoldAnswers(np.asarray(found), curve.read_bytes() if curve.exists() else None)
