"""What each choice of the contrastive magnification network is worth: the same clips and split, other settings."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from realtime.config import convert, merge, parse_override
from realtime.engine import Engine
from realtime.errors import ConfigError
from realtime.manifest import Score
from train.clips import ClipCrops
from train.config import CmnConfig
from train.methods import cmn

SHARED = ("clips", "views", "encoder", "cache", "seed")  #: the seeds are `ablate`'s own
SHOWN = {"final_uf1": "at the offset", "early_uf1": "at the apex"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A configuration, and what sets it apart."""

    setting: Mapping[str, str]
    config: CmnConfig


@dataclass(frozen=True, slots=True)
class Row:
    """One training."""

    setting: Mapping[str, str]
    seed: int
    scores: Mapping[str, float]  #: of early and final answers, on the held-out people


def variants(config: CmnConfig, vary: Sequence[str]) -> list[Variant]:
    """`config` with each combination of "head=patent,cmnet", "loss.trend=0,1" and the like, as strictly read as a file.

    ConfigError names a setting that cannot be, or that all rows must share.
    """
    split = (each.partition("=") for each in vary)
    options = [[(key.strip(), value.strip()) for value in values.split(",")] for key, _, values in split]
    return [Variant(dict(each), _changed(config, dict(each))) for each in itertools.product(*options)]


def ablate(
    config: CmnConfig, found: Sequence[ClipCrops], encoder: Engine, compared: Sequence[Variant], seeds: Sequence[int]
) -> list[Row]:
    """One row for each variant of `config` and each seed.

    The held-out people are the same in every row; so rows of one seed may be compared in pairs. To choose
    a setting by these rows would be to choose it on the test: they are reported, the default was set before.
    """
    parts = cmn.prepare(config, found, encoder)
    rows = []
    for variant, seed in itertools.product(compared, seeds):
        folder = cmn.fit_parts(msgspec.structs.replace(variant.config, seed=seed), parts)
        scores = msgspec.json.decode((folder / "scores.json").read_bytes(), type=tuple[Score, ...])
        rows.append(Row(variant.setting, seed, {score.name: score.value for score in scores}))
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown: for each setting mean and standard deviation of UF1 over its seeds."""
    lines = [_line([*rows[0].setting, *SHOWN.values()]), _line(["---"] * (len(rows[0].setting) + len(SHOWN)))]
    for values, own in itertools.groupby(rows, lambda row: tuple(row.setting.values())):
        scores = [row.scores for row in own]
        lines.append(_line([*values, *(_spread([each[name] for each in scores]) for name in SHOWN)]))
    return lines


def _changed(config: CmnConfig, setting: Mapping[str, str]) -> CmnConfig:
    tree = msgspec.to_builtins(config)
    for key, value in setting.items():
        if key.partition(".")[0] in SHARED:
            raise ConfigError(f"{key} cannot be varied: all rows share {', '.join(SHARED)}; change them in the file")
        tree = merge(tree, parse_override(f"{key}={value}"))
    return convert(tree, CmnConfig, Path(config.name))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0.0:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
