"""People to train on in parts, so that each is read by a map that was not fitted to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from train.methods.units.config import UnitsConfig
from train.methods.units.examples import Examples


def apart(train: Examples, config: UnitsConfig) -> Iterator[tuple[Examples, Examples]]:
    """Who is fitted to, and who is then read, of each part in turn; as many parts as the settings have folds."""
    people = np.unique(train.people)
    parts = np.random.default_rng(config.seed).permutation(len(people)) % config.folds
    part = parts[np.searchsorted(people, train.people)]
    for number in range(min(config.folds, len(people))):
        yield train.rows(part != number), train.rows(part == number)
