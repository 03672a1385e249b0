"""Splits by person: nobody is ever on both sides."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from realtime.errors import DataError


def hold_out(subjects: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """About `share` of `subjects`, at least one and never all; the same ones for the same subjects and seed."""
    people = sorted(set(subjects))
    if len(people) < 2:
        raise DataError(f"{len(people)} subjects cannot be split by person; clips of at least 2 people are needed")
    count = min(max(round(share * len(people)), 1), len(people) - 1)
    chosen = np.random.default_rng(seed).permutation(len(people))[:count]
    return frozenset(people[i] for i in chosen)
