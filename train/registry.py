"""Every method and every source of clips; what the command line, the tests and the documents know of them is made here.

A new method is one line of `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from realtime.config import laid_over
from realtime.errors import ConfigError, EngineError
from train.config import recipe
from train.config.clips import Clips, EnactedSettings, SyntheticSettings
from train.config.films import FilmSettings
from train.config.recipe import Recipe, Settings, SourceSettings
from train.config.recorded import RecordedSettings
from train.config.stills import StillsSettings
from train.methods.akmnet.method import AkmnetMethod
from train.methods.apexnet.method import ApexnetMethod
from train.methods.atnet.method import AtnetMethod
from train.methods.cmn.method import CmnMethod
from train.methods.dtscnn.method import DtscnnMethod
from train.methods.dynamic.method import DynamicMethod
from train.methods.ecstfl.method import EcstflMethod
from train.methods.experiment import Experiment
from train.methods.expression.method import ExpressionMethod
from train.methods.menet.method import MenetMethod
from train.methods.method import Method
from train.methods.microattention.method import MicroAttentionMethod
from train.methods.motion.method import MotionMethod
from train.methods.quintuplet.method import QuintupletMethod
from train.methods.spotter.method import SpotterMethod
from train.methods.units.method import UnitsMethod
from train.packaging.limits import MethodCard
from train.sources.enacted import EnactedSource
from train.sources.films import FilmSource
from train.sources.recorded import RecordedSource
from train.sources.source import ClipSource
from train.sources.stills import StillsSource
from train.sources.synthetic import SyntheticSource

Methods = Mapping[str, Method[Any, Any]]
Opened = Callable[[Any, Path, int | None], ClipSource]  #: settings, cache, processes that prepare clips


def tag(kind: type[Settings] | type[SourceSettings]) -> str:
    """The name of a method or a source, as files have it."""
    return str(kind.__struct_config__.tag)


METHODS: Methods = {
    tag(method.config): method
    for method in (
        SpotterMethod(),
        MotionMethod(),
        ApexnetMethod(),
        AkmnetMethod(),
        AtnetMethod(),
        CmnMethod(),
        DynamicMethod(),
        EcstflMethod(),
        ExpressionMethod(),
        MicroAttentionMethod(),
        MenetMethod(),
        UnitsMethod(),
        DtscnnMethod(),
        QuintupletMethod(),
    )
}
SOURCES: Mapping[str, tuple[type[SourceSettings], Opened]] = {
    tag(kind): (kind, opened)
    for kind, opened in (
        (SyntheticSettings, SyntheticSource),
        (RecordedSettings, RecordedSource),
        (StillsSettings, StillsSource),
        (FilmSettings, FilmSource),
        (EnactedSettings, EnactedSource),
    )
}


def load(paths: Sequence[Path], overrides: Iterable[str] = (), methods: Methods = METHODS) -> Recipe[Settings]:
    """The recipe in `paths`, as a rule a method's file and a source's; ConfigError names file, key and expectation."""
    kinds = {name: method.config for name, method in methods.items()}
    found = recipe.read(paths, overrides, kinds, {name: kind for name, (kind, _) in SOURCES.items()})
    method, source = tag(type(found.method)), tag(type(found.source))
    if source not in methods[method].sources:
        wanted = " or ".join(methods[method].sources)
        raise ConfigError(
            f"{' + '.join(map(str, paths))}: {method} learns from {wanted} clips, these are {source}: give another "
            "file of configs/data"
        )
    return found


def card_of(method: str) -> MethodCard:
    """What no manifest can hold of a method; EngineError where it is none of these."""
    if method not in METHODS:
        raise EngineError(f"no card can be written for {method!r}", [f"the methods are {', '.join(METHODS)}"])
    return METHODS[method].card


def filmed(paths: Sequence[Path], overrides: Iterable[str] = ()) -> Clips:
    """How the source in `paths` films people, whatever method stands beside it; ConfigError where it films nobody."""
    tree, where = laid_over(paths, overrides), " + ".join(map(str, paths))
    kind, _ = SOURCES.get(tree.get("source", ""), (None, None))
    clips = getattr(kind and recipe.own(tree, kind, Path(where)), "clips", None)
    if not isinstance(clips, Clips):
        raise ConfigError(
            f"{where}: nobody is filmed by it; give a file of configs/data that has people, such as films.toml"
        )
    return clips


def experiment(given: Recipe[Settings], workers: int | None = None, methods: Methods = METHODS) -> Experiment:
    """What is done by `given`; no clip is made before one is asked for."""
    method, (_, opened) = methods[tag(type(given.method))], SOURCES[tag(type(given.source))]
    return Experiment(method, given, opened(given.source, Path(given.method.cache), workers), workers)
