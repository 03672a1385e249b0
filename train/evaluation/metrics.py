"""The scores of a classifier, each from one pooled confusion matrix: never a mean over folds or subjects.

UF1 and UAR are those of MEGC 2019 (See et al. 2019): unweighted means over the classes of F1 and
of recall. WAR, the mean recall weighted by the classes' sizes, is the accuracy. A class that is
never there and never said counts as 0, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

FIGURES = ("accuracy", "uf1", "uar")


@dataclass(frozen=True, slots=True)
class Scores:
    """What a classifier is worth on some clips, and what always saying their commonest class would be."""

    accuracy: float  #: also called WAR
    uf1: float
    uar: float
    majority: float  #: accuracy of the commonest class
    counts: dict[str, int]  #: label -> clips that truly show it
    recall: dict[str, float]  #: label -> share of them that were said to
    f1: dict[str, float]  #: label -> 2 TP / (2 TP + FP + FN)

    def figures(self) -> dict[str, float]:
        """All but what is told label by label, by name."""
        return {"accuracy": self.accuracy, "uf1": self.uf1, "uar": self.uar, "majority_accuracy": self.majority}


@dataclass(frozen=True, slots=True)
class Interval:
    """Where 95 % of the resampled scores lie."""

    low: float
    high: float


def confusion(truth: Indices, said: Indices, classes: int) -> Indices:
    """(classes, classes): rows are the truth, columns what was said."""
    return np.bincount(truth * classes + said, minlength=classes**2).reshape(classes, classes)


def scores(truth: Indices, said: Indices, labels: tuple[str, ...]) -> Scores:
    """Scores of class indices `said` (K,) against `truth` (K,), of the vocabulary `labels`; K is at least 1."""
    return scores_of(confusion(truth, said, len(labels)), labels)


def scores_of(table: Indices, labels: tuple[str, ...]) -> Scores:
    """Scores of a confusion matrix (C, C) that holds at least 1 clip."""
    if not table.any():
        raise ValueError("no clip to score; at least 1 is needed")
    there = table.sum(1)
    accuracy, uf1, uar = (float(figure) for figure in _figures(table))
    return Scores(
        accuracy=accuracy,
        uf1=uf1,
        uar=uar,
        majority=float(there.max() / there.sum()),
        counts={label: int(count) for label, count in zip(labels, there, strict=True)},
        recall=dict(zip(labels, _recall(table).tolist(), strict=True)),
        f1=dict(zip(labels, _f1(table).tolist(), strict=True)),
    )


def majority(table: Indices) -> Indices:
    """The confusion matrix of always saying the class that is commonest in the truth of `table`."""
    always = np.zeros_like(table)
    always[:, table.sum(1).argmax()] = table.sum(1)
    return always


def bootstrap(
    truth: Indices, said: Indices, subjects: Sequence[str], classes: int, *, draws: int, seed: int
) -> dict[str, Interval]:
    """95 % percentile intervals of `FIGURES` when people, not clips, are drawn again with replacement.

    Clips of one person are alike, so drawing clips would make the intervals too narrow. A draw that lacks a
    class counts it as 0, as the score itself does: with few people of a rare class UF1 and UAR reach far down.
    """
    _, person = np.unique(np.asarray(subjects), return_inverse=True)  # (K,)
    people = int(person.max()) + 1
    cells = (person * classes + truth) * classes + said
    tables = np.bincount(cells, minlength=people * classes**2).reshape(people, classes**2)
    times = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=draws)  # (draws, people)
    drawn = _figures((times @ tables).reshape(draws, classes, classes))
    bounds = (np.percentile(figure, (2.5, 97.5)) for figure in drawn)
    return {name: Interval(float(low), float(high)) for name, (low, high) in zip(FIGURES, bounds, strict=True)}


def _figures(tables: Indices) -> tuple[Shares, Shares, Shares]:
    """`FIGURES` of confusion matrices (..., C, C), each (...)."""
    accuracy = np.trace(tables, axis1=-2, axis2=-1) / tables.sum((-2, -1))
    return accuracy, _f1(tables).mean(-1), _recall(tables).mean(-1)


def _recall(tables: Indices) -> Shares:
    """(..., C, C) -> (..., C)."""
    recall: Shares = _hits(tables) / np.maximum(tables.sum(-1), 1)
    return recall


def _f1(tables: Indices) -> Shares:
    """(..., C, C) -> (..., C)."""
    f1: Shares = 2 * _hits(tables) / np.maximum(tables.sum(-1) + tables.sum(-2), 1)
    return f1


def _hits(tables: Indices) -> Indices:
    return np.diagonal(tables, axis1=-2, axis2=-1)
