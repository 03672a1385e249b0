"""Engines that know only groups of the labels: they say how much belongs to each group, and inside all stays as it is.

    q(c) = Q(g) p(c) / P(g)        for c in g, with P(g) = the sum of p(c) over g and Q = the pool of P and the engines

This is Jeffrey's rule (1965, "The Logic of Decision", chapter 11): evidence on a partition alone leaves what is likely
within each of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from realtime.labels import GROUPS, NONE
from realtime.recognition.pool import Shares, pool


def group(label: str) -> str:
    """What engines of groups call `label`; one that they do not know is a group of its own."""
    return GROUPS.get(label, label)


def grouped(shares: Shares) -> dict[str, float]:
    """P(g): group -> share, in the order of the labels."""
    totals: dict[str, float] = {}
    for label, share in shares.items():
        totals[group(label)] = totals.get(group(label), 0.0) + share
    return totals


def unknown(labels: Iterable[str], fine: Sequence[str]) -> list[str]:
    """The `labels` of an engine that say nothing of `fine` ones: [] if all are among those, or among their groups."""
    groups = {group(label) for label in fine}
    return min(([label for label in labels if label not in known] for known in (fine, groups)), key=len)


def refined(fine: Shares, coarse: Sequence[Shares], weights: Sequence[float], floor: float) -> dict[str, float]:
    """What `fine` says after engines of groups have been heard; `weights` (1 + K,) are its own and theirs.

    Each of `coarse` has every group of `fine`, but for those that it says nothing about (see `pool`): one without
    "none" leaves open how likely that is. What a group gets that `fine` rules out, its labels share evenly.
    """
    if not coarse:
        return dict(fine)
    before = grouped(fine)
    after = pool([before, *coarse], weights, floor)
    labels = [group(label) for label in fine]
    return {
        label: after[g] * (share / before[g] if before[g] > 0.0 else 1.0 / labels.count(g))
        for (label, share), g in zip(fine.items(), labels, strict=True)
    }


def at_rest(shares: Shares) -> float:
    """How likely a face shows nothing; 1 where no label says so."""
    return grouped(shares).get(NONE, 1.0)
