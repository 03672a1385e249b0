"""What an engine said against what was shown, where the two have different labels.

Where either side says negative or positive, both are brought to the classes of MEGC 2019; else they are compared
as they stand. What an engine says that no true expression is (neutral, none, others) is wrong, but no class of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from train.datasets.annotation.labels import LABEL_SETS, canonical
from train.evaluation.metrics import scores

OTHER = "(other)"
_COARSE = LABEL_SETS["megc-3"].classes
_MARKS = {"negative", "positive"}  # of MEGC 2019: no other vocabulary has them


@dataclass(frozen=True, slots=True)
class Recognition:
    """How often what was found was also named rightly; unweighted means are over the classes that were shown."""

    events: int
    accuracy: float
    uf1: float
    uar: float
    counts: dict[str, int]  #: class -> events that truly show it


def shared(truth: Collection[str], said: Collection[str]) -> Mapping[str, str]:
    """Label -> class, for all labels of both sides; the classes are those of the truth, and `OTHER`."""
    labels = {*truth, *said}
    named = {canonical(label) for label in labels}
    coarse = _COARSE if named & _MARKS else {}
    classes = {label: coarse.get(canonical(label), canonical(label)) for label in labels}
    shown = {classes[label] for label in truth}
    return {label: found if found in shown else OTHER for label, found in classes.items()}


def best(shares: Mapping[str, float], classes: Mapping[str, str]) -> str:
    """The class with the largest share, those of its labels added up."""
    totals: dict[str, float] = {}
    for label, share in shares.items():
        totals[classes[label]] = totals.get(classes[label], 0.0) + share
    return max(totals, key=totals.__getitem__)


def recognition(truth: Sequence[str], said: Sequence[Mapping[str, float]]) -> Recognition | None:
    """Of true labels (K,) and the shares (K,) that were told of them; None where there is none."""
    if not truth:
        return None
    classes = shared(set(truth), {label for shares in said for label in shares})
    names = (*sorted({classes[label] for label in truth}), OTHER)
    index = {name: i for i, name in enumerate(names)}
    there = np.array([index[classes[label]] for label in truth], np.int64)
    told = np.array([index[best(shares, classes)] for shares in said], np.int64)
    found = scores(there, told, names)
    shown = names[:-1]
    return Recognition(
        events=len(truth),
        accuracy=found.accuracy,
        uf1=float(np.mean([found.f1[name] for name in shown])),
        uar=float(np.mean([found.recall[name] for name in shown])),
        counts={name: found.counts[name] for name in shown},
    )
