"""From how large what is told of a claim is wrong too seldom to matter; or never, where that cannot be had."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats
from train.methods.units.claims import Claim, Rows
from train.methods.units.network import NEVER

FEWEST = 20  #: tellings that a threshold must be seen to allow: of fewer nothing can be said


def strictest(claim: Claim, weights: Floats, films: Rows, most: float, most_films: float) -> float:
    """The threshold over all examples, or the higher one that `films` alone need, as far as anything is told of them.

    In mixtures every unit is common. Where one is rare, as in films, the same threshold tells it more often wrongly.
    """
    bar = threshold(claim.clear, claim.right, claim.wrong, weights, most)
    told = (claim.clear > bar) & films & (claim.right | claim.wrong)
    if told.sum() < FEWEST:
        return bar
    alone = Claim(claim.clear[films], claim.right[films], claim.wrong[films])
    return max(bar, threshold(alone.clear, alone.right, alone.wrong, weights[films], most_films))


def threshold(values: Floats, right: Rows, wrong: Rows, weights: Floats, most: float) -> float:
    """The lowest value above which at most a share `most` of what is told is wrong; `NEVER` where there is none.

    `values` (N,), and of each whether it would be told rightly or wrongly, or neither, and for how much it counts.
    """
    order = np.argsort(-values, kind="stable")
    told = np.cumsum((right | wrong)[order])
    good, bad = (np.cumsum((weights * part)[order]) for part in (right, wrong))
    kept = np.flatnonzero((bad <= most * (good + bad)) & (told >= FEWEST))
    if not len(kept) or values[order[kept[-1]]] <= 0.0:
        return NEVER
    last = int(kept[-1])
    below = values[order[last + 1]] if last + 1 < len(values) else values[order[last]]
    return float((values[order[last]] + max(below, 0.0)) / 2)
