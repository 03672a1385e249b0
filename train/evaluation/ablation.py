"""What each choice of a training is worth: the same people are tested, the settings are others."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec

from realtime.config import convert, merge, parse_override
from realtime.engine.package.manifest import Score
from realtime.errors import ConfigError
from train.config.clips import Distractor
from train.config.old import TrainConfig

SHARED = ("clips", "cache", "seed")  #: by all rows of any method; the seeds are `ablate`'s own
NOTHING = "none"  #: in the table, of a setting that is empty

#: The figures that are shown, of those that there are, and what they are called: a table for each of these.
SHOWN: tuple[Mapping[str, str], ...] = (
    {
        "final_uf1": "at the offset",
        "early_uf1": "at the apex",
        "kept": "kept",
        "rejected_rest": "rest rejected",
        "rejected_none": "none rejected",
    },
    {
        "f1": "F1",
        "recall": "recall",
        "false_per_minute": "false a minute",
        "equal_false_per_minute": "false at equal recall",
        **{f"equal_false_per_minute_on_{name}": f"on {name}" for name in get_args(Distractor)},
    },
    {
        "early_recall": "told at the apex",
        "early_false_per_minute": "false a minute",
        **{f"early_false_per_minute_on_{name}": f"on {name}" for name in get_args(Distractor)},
    },
)


@dataclass(frozen=True, slots=True)
class Compared:
    """How a method's trainings are compared."""

    parts: Callable[[Any], Any]  #: what a configuration is trained and tested on
    fit: Callable[[Any, Any], Path]  #: a configuration and its parts -> the run's folder, with scores.json
    data: tuple[str, ...] = ()  #: settings that change the parts, but not who and what is tested
    shared: tuple[str, ...] = ()  #: settings that change what is tested: beside `SHARED` all rows share them


@dataclass(frozen=True, slots=True)
class Variant:
    """A configuration, and what sets it apart."""

    setting: Mapping[str, str]
    config: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One training."""

    setting: Mapping[str, str]
    seed: int
    scores: Mapping[str, float]  #: on the held-out people


def variants(config: TrainConfig, vary: Sequence[str], shared: Sequence[str] = ()) -> list[Variant]:
    """`config` with each combination of "head=patent,cmnet", "loss.trend=0,1" and the like, as strictly read as a file.

    What is a list in the file is given with a plus between its parts, and is empty if nothing is given:
    "without=,blink,gaze+turn". ConfigError names a setting that cannot be, or that all rows must share.
    """
    split = (each.partition("=") for each in vary)
    options = [[(key.strip(), value.strip()) for value in values.split(",")] for key, _, values in split]
    return [Variant(dict(each), _changed(config, dict(each), shared)) for each in itertools.product(*options)]


def ablate(method: Compared, compared: Sequence[Variant], seeds: Sequence[int]) -> list[Row]:
    """One row for each variant and each seed.

    The held-out people are the same in every row; so rows of one seed may be compared in pairs. To choose
    a setting by these rows would be to choose it on the test: they are reported, the default was set before.
    """
    rows, parts, made_of = [], None, None
    for variant in compared:
        shaping = [getattr(variant.config, name) for name in method.data]
        if parts is None or shaping != made_of:
            parts, made_of = method.parts(variant.config), shaping
        for seed in seeds:
            folder = method.fit(msgspec.structs.replace(variant.config, seed=seed), parts)
            scores = msgspec.json.decode((folder / "scores.json").read_bytes(), type=tuple[Score, ...])
            rows.append(Row(variant.setting, seed, {score.name: score.value for score in scores}))
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown: for each setting the mean of each figure over its seeds, and the standard deviation of several."""
    shown = [{name: said for name, said in each.items() if any(name in row.scores for row in rows)} for each in SHOWN]
    tables = [_table(rows, names) for names in shown if names]
    return [line for number, lines in enumerate(tables) for line in ([""] if number else []) + lines]


def _table(rows: Sequence[Row], names: Mapping[str, str]) -> list[str]:
    lines = [_line([*rows[0].setting, *names.values()]), _line(["---"] * (len(rows[0].setting) + len(names)))]
    for values, own in itertools.groupby(rows, lambda row: tuple(row.setting.values())):
        scores = [row.scores for row in own]
        said = (value or NOTHING for value in values)
        lines.append(_line([*said, *(_spread([each[name] for each in scores if name in each]) for name in names)]))
    return lines


def _changed(config: TrainConfig, setting: Mapping[str, str], shared: Sequence[str]) -> TrainConfig:
    tree = msgspec.to_builtins(config)
    fixed = (*SHARED, *shared)
    for key, value in setting.items():
        if key.partition(".")[0] in fixed:
            raise ConfigError(f"{key} cannot be varied: all rows share {', '.join(fixed)}; change them in the file")
        tree = merge(tree, settings_tree(tree, key, value))
    return convert(tree, type(config), Path(config.name))


def settings_tree(tree: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """The tree of one setting; what is a list in `tree` becomes one."""
    old: Any = tree
    for part in key.split("."):
        old = old.get(part) if isinstance(old, Mapping) else None
    if isinstance(old, list | tuple):
        parts = [parse_override(f"part={part}")["part"] for part in value.split("+") if part]
        value = msgspec.json.encode(parts).decode()  # which is TOML, of words and numbers
    return parse_override(f"{key}={value}")


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    mean = f"{statistics.fmean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
