"""A seeded search over settings: a few keys are drawn anew or moved a little, and what is better is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from realtime.config import DEFAULT as DEFAULT_FILE
from realtime.config import Config, convert, laid_over, merge
from train.tuning.config import Range

Setting = Mapping[str, float]  #: "section.key" -> value

MOST_KEYS = 3  # that are changed at once
ANEW = 0.4  # how often a key is drawn from its whole range
STEP = 0.12  # standard deviation of a small move, in shares of the range


def applied(setting: Setting, config: Config) -> Config:
    """`config` with these values, as strictly read as a file."""
    changes = laid_over((), (f"{key}={value!r}" for key, value in setting.items()))
    return convert(merge(msgspec.to_builtins(config), changes), Config, DEFAULT_FILE)


def value_of(key: str, config: Config) -> float:
    """What `config` has there."""
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return float(value) if not isinstance(value, int) else value


def climb(
    start: Setting, ranges: Sequence[Range], worth: Callable[[Setting], float], trials: int, rng: np.random.Generator
) -> tuple[Setting, list[float]]:
    """The best of `start` and of `trials` settings, and the best worth after each, that of `start` first."""
    best, most = start, worth(start)
    curve = [most]
    for _ in range(trials):
        tried = moved(best, ranges, rng)
        if tried != best and (found := worth(tried)) > most:
            best, most = tried, found
        curve.append(most)
    return best, curve


def moved(setting: Setting, ranges: Sequence[Range], rng: np.random.Generator) -> Setting:
    """Another one: one to three keys changed, inside their ranges, whole where they were whole."""
    count = int(rng.integers(1, min(MOST_KEYS, len(ranges)) + 1))
    changed = dict(setting)
    for i in rng.choice(len(ranges), count, replace=False):
        key, low, high = ranges[int(i)].key, ranges[int(i)].low, ranges[int(i)].high
        near = setting[key] + STEP * (high - low) * rng.standard_normal()
        drawn = float(np.clip(rng.uniform(low, high) if rng.random() < ANEW else near, low, high))
        changed[key] = round(drawn) if isinstance(setting[key], int) else float(f"{drawn:.3g}")
    return changed
