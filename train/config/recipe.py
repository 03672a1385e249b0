"""One or several files -> a method's settings and those of the clips that it learns from, strictly read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from realtime.config import Section, convert, laid_over, merge
from realtime.errors import ConfigError
from train.config.sections import Machine


class Settings(Section, frozen=True, tag_field="method"):
    """Base of every method's settings: its tag is the method's name."""

    seed: int  #: of the weights, the order and the draws; the folds of an evaluation have seeds of their own
    name: str  #: of the run's folder and of the engine package
    cache: str
    runs: str
    machine: Machine


class SourceSettings(Section, frozen=True, tag_field="source"):
    """Base of what says which clips are learned from: its tag is the kind of their source."""

    set: str  #: stands behind the method's name in those of runs and packages; "" for the clips of shipped engines


C = TypeVar("C", bound=Settings, covariant=True)
S = TypeVar("S", bound=SourceSettings)
Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recipe(Generic[C]):
    """Everything that a training or an evaluation is made by."""

    method: C
    source: SourceSettings

    @property
    def name(self) -> str:
        """Of runs and packages."""
        return f"{self.method.name}-{self.source.set}" if self.source.set else self.method.name

    def tree(self) -> dict[str, Any]:
        """All of it as plain values, as manifests keep it."""
        tree: dict[str, Any] = msgspec.to_builtins(self.source) | msgspec.to_builtins(self.method)
        return tree | {"name": self.name}

    def shaping(self) -> dict[str, Any]:
        """What a run is named by: all but where it is computed and kept.

        Several devices count: each normalises its own share.
        """
        tree = self.tree()
        devices = tree.pop("machine")["devices"]
        del tree["cache"], tree["runs"]
        return tree if devices == 1 else tree | {"devices": devices}


def read(
    paths: Sequence[Path],
    overrides: Iterable[str],
    methods: Mapping[str, type[Settings]],
    sources: Mapping[str, type[SourceSettings]],
) -> Recipe[Settings]:
    """The tables of `paths` laid over each other, then overrides such as "epochs=2" or "data.0.root=mine".

    As a rule the first file is a method's and the second a source's. ConfigError names file, key and expectation.
    """
    tree, where = laid_over(paths, overrides), Path(" + ".join(map(str, paths)))
    method = _kind(tree, "method", methods, "a file of configs/methods", where)
    source = _kind(tree, "source", sources, "a second --config, a file of configs/data", where)
    return convert_tree(tree, method, source, where)


def convert_tree(tree: Tree, method: type[Settings], source: type[SourceSettings], where: Path) -> Recipe[Settings]:
    """The settings in `tree`, each key read by whom it belongs to; ConfigError where one is unknown or missing."""
    rest = {key: value for key, value in tree.items() if key not in _keys(source)}
    return Recipe(convert(rest, method, where), own(tree, source, where))


def own(tree: Tree, source: type[S], where: Path) -> S:
    """The part of `tree` that is a source's; ConfigError where a key of it is missing."""
    return convert({key: value for key, value in tree.items() if key in _keys(source)}, source, where)


def _keys(source: type[SourceSettings]) -> set[str]:
    return {"source", *(field.encode_name for field in msgspec.structs.fields(source))}


def changed(recipe: Recipe[C], change: Tree) -> Recipe[C]:
    """`recipe` with the values of `change` in place of its own, as strictly read as a file."""
    tree = merge(msgspec.to_builtins(recipe.source) | msgspec.to_builtins(recipe.method), change)
    return convert_tree(tree, type(recipe.method), type(recipe.source), Path(recipe.name))  # type: ignore[return-value]


def _kind(tree: Tree, key: str, kinds: Mapping[str, Any], given_by: str, where: Path) -> Any:
    if tree.get(key) not in kinds:
        raise ConfigError(f"{where}: {key} is {tree.get(key)!r}, wanted one of {sorted(kinds)}: give {given_by}")
    return kinds[tree[key]]
