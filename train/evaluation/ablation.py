"""What comparisons of settings found, as a table."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from realtime.config import parse_override
from train.config.clips import Distractor

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
class AblationRow:
    """One training."""

    setting: Mapping[str, str]
    seed: int
    scores: Mapping[str, float]  #: on the held-out people


def table(rows: Sequence[AblationRow]) -> list[str]:
    """Markdown: for each setting the mean of each figure over its seeds, and the standard deviation of several."""
    shown = [{name: said for name, said in each.items() if any(name in row.scores for row in rows)} for each in SHOWN]
    tables = [_table(rows, names) for names in shown if names]
    return [line for number, lines in enumerate(tables) for line in ([""] if number else []) + lines]


def _table(rows: Sequence[AblationRow], names: Mapping[str, str]) -> list[str]:
    lines = [_line([*rows[0].setting, *names.values()]), _line(["---"] * (len(rows[0].setting) + len(names)))]
    for values, own in itertools.groupby(rows, lambda row: tuple(row.setting.values())):
        scores = [row.scores for row in own]
        said = (value or NOTHING for value in values)
        lines.append(_line([*said, *(_spread([each[name] for each in scores if name in each]) for name in names)]))
    return lines


def settings_tree(tree: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """The tree of one setting; what is a list in `tree` becomes one: "gaze+turn", and nothing an empty one."""
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
