"""configs/tune.toml: what is searched, on whom, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from realtime.config import Count, NotNegative, Section, convert, laid_over
from train.config.sections import Cameras


class Prices(Section, frozen=True):
    """What makes settings of the detector better or worse: see `train.tuning.worth`."""

    macro: NotNegative
    false: NotNegative
    delay: NotNegative
    taken_back: NotNegative


class Range(Section, frozen=True):
    """One key of configs/realtime.toml, and where its value may lie."""

    key: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.key} from {self.low:g} to {self.high:g}; wanted low below high")


class TuneConfig(Section, frozen=True, tag="tune", tag_field="method"):
    """The search for settings of the detector; nothing is trained."""

    seed: int
    name: str
    cache: str
    runs: str
    data: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    held_out: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    rates_hz: Cameras
    trials: Count
    prices: Prices
    keys: Annotated[tuple[Range, ...], msgspec.Meta(min_length=1)]


def load(path: Path, overrides: Iterable[str] = ()) -> TuneConfig:
    """The search in `path`, then overrides such as "trials=30"; ConfigError names file, key and expectation."""
    return convert(laid_over([path], overrides), TuneConfig, path)
