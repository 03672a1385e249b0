"""The engines of a running Glimpse: one encoder for single frames, and those that can judge events with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

import msgspec

from realtime.config import ROOT, Config, split
from realtime.engine.batching import Together
from realtime.engine.engine import Engine
from realtime.engine.factory import open_engine
from realtime.engine.package.manifest import MANIFEST, Manifest, load
from realtime.errors import ConfigError, EngineError
from realtime.recognition.pairing import beside, compatible, spotter_reasons, units_reasons, unlike
from realtime.recognition.recognise import Judges

log = logging.getLogger(__name__)

Opened = Callable[[str], Engine]  # by the name of its package, each opened once


def engines(config: Config) -> tuple[Engine, Judges]:
    """Encoder and judges, opened and found to fit each other; EngineError lists all reasons if they do not."""
    return _fitting(config, cache(partial(_open, config)))


def spotter(config: Config) -> Engine:
    """What finds the events: on the CPU wherever the others run, for its rows come one at a time."""
    here = msgspec.structs.replace(config.engines, device="cpu", precision="f32")
    engine = open_engine(Path(config.engines.folder) / config.engines.spotter, here)
    reasons = tuple(spotter_reasons(engine.manifest, config.align.size_px))
    if reasons:
        raise EngineError(f"{engine.manifest.name} cannot be the spotter", reasons)
    return engine


def require_fit(encoder: Manifest, judges: Judges, config: Config) -> None:
    """That they can run together; EngineError lists all reasons why not."""
    micro, macro = ([engine.manifest for engine in some] for some in (judges.micro, judges.macro))
    pairs = [compatible(encoder, each, config.align.size_px) for each in (*micro, *macro)]
    reasons = [reason for found in pairs for reason in found]
    reasons += [*unlike(micro), *beside(encoder, macro)]
    if judges.units is not None:
        reasons += units_reasons(judges.units.manifest, config.align.size_px)
    if reasons:
        raise EngineError("these engines do not fit together:", tuple(dict.fromkeys(reasons)))


def _open(config: Config, name: str) -> Engine:
    return open_engine(Path(config.engines.folder) / name, config.engines)


def _judges(config: Config, head: str, opened: Opened) -> Judges:
    """With `head` as the engine, or engines, of micro-expressions."""
    units = opened(config.engines.units) if config.engines.units else None
    return Judges(tuple(map(opened, split(head))), tuple(map(opened, config.engines.macro)), units)


def _fitting(config: Config, opened: Opened) -> tuple[Engine, Judges]:
    encoder, judges = opened(config.engines.encoder), _judges(config, config.engines.head, opened)
    require_fit(encoder.manifest, judges, config)
    _require_known(config, (encoder, *judges.engines))
    return encoder, judges


def _require_known(config: Config, at_work: Iterable[Engine]) -> None:
    """That every name in recognise.weights is that of an engine, at work or to be chosen."""
    there = {engine.manifest.name for engine in at_work} | {path.name for path in _packages(config)}
    unknown = sorted(set(config.recognise.weights) - there)
    if unknown:
        raise ConfigError(
            f"recognise.weights names {', '.join(unknown)}, wanted engines that are there: {', '.join(sorted(there))}"
        )


def _packages(config: Config) -> list[Path]:
    return [path.parent for path in sorted((ROOT / config.engines.folder).glob(f"*/{MANIFEST}"))]


class Heads:
    """The encoder, and by name what can judge events with it, opened when first asked for. For several threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._opened: Opened = cache(lambda name: Together(_open(config, name)))
        self.encoder, _ = _fitting(config, self._opened)
        self.default = config.engines.head
        #: What `judges` may be given: the default, then alone every package that fits.
        self.names = tuple(dict.fromkeys([self.default, *split(self.default), *self._alone()]))

    def judges(self, name: str) -> Judges:
        """Those that `name` says, one or several; EngineError where it is none of `names`, or does not open."""
        if name not in self.names:
            raise EngineError(f"{name!r} is no engine that judges events here; there are {', '.join(self.names)}")
        with self._lock:
            return _judges(self._config, name, self._opened)

    def _alone(self) -> list[str]:
        return [each.name for each in _packages(self._config) if self._fits(each)]

    def _fits(self, folder: Path) -> bool:
        try:
            return not compatible(self.encoder.manifest, load(folder), self._config.align.size_px)
        except EngineError as error:
            log.warning("%s cannot be chosen: %s", folder, error)
            return False
