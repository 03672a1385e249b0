"""Every method and every source of clips; what the command line, the tests and the documents know of them is made here.

A new method is one line of `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError
from train.config import recipe
from train.config.clips import EnactedSettings, SyntheticSettings
from train.config.recipe import Recipe, Settings, SourceSettings
from train.config.recorded import RecordedSettings
from train.methods.dynamic.method import Dynamic
from train.methods.ecstfl.method import Ecstfl
from train.methods.experiment import Experiment
from train.methods.method import Method
from train.methods.motion.method import Motion
from train.sources.enacted import EnactedSource
from train.sources.recorded import RecordedSource
from train.sources.source import ClipSource
from train.sources.synthetic import SyntheticSource

Opened = Callable[[Any, Path, int | None], ClipSource]  #: settings, cache, processes that prepare clips


def tag(kind: type[Settings] | type[SourceSettings]) -> str:
    """The name of a method or a source, as files have it."""
    return str(kind.__struct_config__.tag)


METHODS: Mapping[str, Method[Any, Any]] = {tag(method.config): method for method in (Motion(), Ecstfl(), Dynamic())}
SOURCES: Mapping[str, tuple[type[SourceSettings], Opened]] = {
    tag(kind): (kind, opened)
    for kind, opened in (
        (SyntheticSettings, SyntheticSource),
        (RecordedSettings, RecordedSource),
        (EnactedSettings, EnactedSource),
    )
}


def load(paths: Sequence[Path], overrides: Iterable[str] = ()) -> Recipe[Settings]:
    """The recipe in `paths`, as a rule a method's file and a source's; ConfigError names file, key and expectation."""
    methods = {name: method.config for name, method in METHODS.items()}
    found = recipe.read(paths, overrides, methods, {name: kind for name, (kind, _) in SOURCES.items()})
    method, source = tag(type(found.method)), tag(type(found.source))
    wanted = METHODS[method].sources
    if source not in wanted:
        raise ConfigError(
            f"{method} cannot learn from what {source} gives, wanted {' or '.join(wanted)}: give another file of "
            "configs/data"
        )
    return found


def experiment(given: Recipe[Settings], workers: int | None = None) -> Experiment:
    """What is done by `given`; no clip is made before one is asked for."""
    method, (_, opened) = METHODS[tag(type(given.method))], SOURCES[tag(type(given.source))]
    return Experiment(method, given, opened(given.source, Path(given.method.cache), workers), workers)
