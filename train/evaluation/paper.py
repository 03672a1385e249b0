"""In what a run differs from the paper: its settings beside those of configs/methods/paper-*.toml of its method.

Nothing is listed by hand: a setting that is another one is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.config import ROOT, read_toml

PATTERN = "paper-*.toml"
#: What says where a run is kept and computed, and which of all draws it is: of no paper.
APART = frozenset({"name", "cache", "runs", "machine", "seed", "views.seed"})


@dataclass(frozen=True, slots=True)
class Departure:
    """A setting in which a run differs; both as text."""

    key: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Paper:
    """The file with the paper's settings, as a path in the repository, and what differs."""

    file: str
    departures: tuple[Departure, ...]


def paper(configuration: Mapping[str, Any], folder: Path = ROOT / "configs/methods") -> Paper | None:
    """Of several files of the method the one with the fewest departures; None where there is none."""
    files = {path: read_toml(path) for path in sorted(folder.glob(PATTERN))}
    own = {path: tree for path, tree in files.items() if tree["method"] == configuration.get("method")}
    found = [Paper(_told(path), departures(configuration, tree)) for path, tree in own.items()]
    return min(found, key=lambda each: len(each.departures), default=None)


def departures(configuration: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Departure, ...]:
    """Every key of the paper's file that is another in `configuration`; keys of nested tables have dots."""
    here, there = dict(_flat(configuration)), dict(_flat(wanted))
    return tuple(
        Departure(key, _words(here.get(key)), _words(value))
        for key, value in there.items()
        if not _same(here.get(key), value)
    )


def _flat(tree: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{at}{key}"
        if name in APART:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _same(one: Any, other: Any) -> bool:
    """Numbers by their value, and lists and tuples alike."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other if bool in (type(one), type(other)) else bool(one == other)


def _words(value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_words, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, int | float) else str(value)


def _told(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
