"""How often each of several films, or faces, is drawn where one person is seen for minutes and another for moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from realtime.records import Times


def shares(people: Sequence[str], long: Times, within: Times) -> Times:
    """(N,), in sum 1: each person by the root of how `long` (N,) they are seen, and what is theirs by `within` (N,)."""
    whole, parts = Counter[str](), Counter[str]()
    for person, size, part in zip(people, long.tolist(), within.tolist(), strict=True):
        whole[person] += size
        parts[person] += part
    found = np.array([np.sqrt(whole[p]) / parts[p] for p in people], np.float64) * within
    return np.asarray(found / found.sum())
