"""The scores of a classifier, each from one pooled confusion matrix: never a mean over folds or subjects.

UF1 and UAR are those of MEGC 2019 (See et al. 2019): unweighted means over the classes of F1 and
of recall. A class that is never there and never said counts as 0, as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a classifier is worth on some clips, and what always saying their commonest class would be."""

    accuracy: float
    uf1: float
    uar: float
    majority: float  #: accuracy of the commonest class
    counts: dict[str, int]  #: label -> clips that truly show it

    def figures(self) -> dict[str, float]:
        """All but the counts, by name."""
        return {"accuracy": self.accuracy, "uf1": self.uf1, "uar": self.uar, "majority_accuracy": self.majority}


def confusion(truth: Indices, said: Indices, classes: int) -> Indices:
    """(classes, classes): rows are the truth, columns what was said."""
    return np.bincount(truth * classes + said, minlength=classes**2).reshape(classes, classes)


def scores(truth: Indices, said: Indices, labels: tuple[str, ...]) -> Scores:
    """Scores of class indices `said` (K,) against `truth` (K,), of the vocabulary `labels`; K is at least 1."""
    if len(truth) == 0:
        raise ValueError("no clip to score; at least 1 is needed")
    table = confusion(truth, said, len(labels))
    hits, there, told = np.diag(table), table.sum(1), table.sum(0)
    return Scores(
        accuracy=float(hits.sum() / len(truth)),
        uf1=float((2 * hits / np.maximum(there + told, 1)).mean()),
        uar=float((hits / np.maximum(there, 1)).mean()),
        majority=float(there.max() / len(truth)),
        counts={label: int(count) for label, count in zip(labels, there, strict=True)},
    )
