"""The engines of a running Glimpse: one encoder for every frame, and the heads that can judge events with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from realtime.config import ROOT, Config
from realtime.engine import Engine, open_engine
from realtime.errors import EngineError
from realtime.manifest import MANIFEST, Manifest, load
from realtime.pairing import compatible
from realtime.records import Floats

log = logging.getLogger(__name__)


def engines(config: Config) -> tuple[Engine, Engine]:
    """Encoder and head, opened and found to fit each other; EngineError lists all reasons if they do not."""
    folder = Path(config.engines.folder)
    encoder = open_engine(folder / config.engines.encoder, config.engines)
    head = open_engine(folder / config.engines.head, config.engines)
    require_fit(encoder.manifest, head.manifest, config)
    return encoder, head


def require_fit(encoder: Manifest, head: Manifest, config: Config) -> None:
    """That the two can run together; EngineError lists all reasons why not."""
    reasons = compatible(encoder, head, config.align.size_px)
    if reasons:
        raise EngineError("these engines do not fit together:", reasons)


class InTurn:
    """An engine that several threads use: each waits for the one before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.manifest = engine.manifest
        self.precision = engine.precision

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def fallback(self) -> str | None:
        return self._engine.fallback

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        with self._lock:
            return self._engine.run(inputs)


class Heads:
    """The encoder, and by name each head that fits it, opened when it is first asked for. For several threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        encoder, head = engines(config)
        self.encoder: Engine = InTurn(encoder)
        self.default = config.engines.head
        self._lock = threading.Lock()
        self._open: dict[str, Engine] = {self.default: InTurn(head)}
        #: What `head` may be given: the default, then every other package beside it that fits.
        self.names = tuple(dict.fromkeys([self.default, *self._fitting()]))

    def head(self, name: str) -> Engine:
        """The head called `name`; EngineError where it is none of `names`, or does not open."""
        if name not in self.names:
            raise EngineError(f"{name!r} is no engine that judges events here; there are {', '.join(self.names)}")
        with self._lock:
            if name not in self._open:
                folder = Path(self._config.engines.folder) / name
                self._open[name] = InTurn(open_engine(folder, self._config.engines))
            return self._open[name]

    def _fitting(self) -> list[str]:
        folder = ROOT / self._config.engines.folder
        found = [path.parent for path in sorted(folder.glob(f"*/{MANIFEST}"))]
        return [each.name for each in found if self._fits(each)]

    def _fits(self, folder: Path) -> bool:
        try:
            return not compatible(self.encoder.manifest, load(folder), self._config.align.size_px)
        except EngineError as error:
            log.warning("%s cannot be chosen: %s", folder, error)
            return False
