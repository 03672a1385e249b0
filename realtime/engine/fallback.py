"""The CPU in place of a GPU or a server that fails: the live system goes on, slower, and says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError, EngineLost
from realtime.records import Floats

log = logging.getLogger(__name__)


class Fallback:
    """An engine elsewhere. A call that it loses is answered by the CPU, and the next one asks it again."""

    def __init__(self, elsewhere: Engine, cpu: Callable[[], Engine]) -> None:
        self.manifest = elsewhere.manifest
        self.fallback: str | None = None
        self._elsewhere = elsewhere
        self._open = cpu
        self._cpu: Engine | None = None

    @property
    def precision(self) -> str:
        return self._now.precision

    @property
    def backend(self) -> str:
        return self._now.backend

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        try:
            answers = self._elsewhere.run(inputs)
        except EngineLost as error:
            self._cpu = self._cpu or self._open()
            self.fallback = self.fallback or told(self.manifest, error)
            return self._cpu.run(inputs)
        if self.fallback:
            log.warning("%s: %s is back", self.manifest.name, self._elsewhere.backend)
            self.fallback = None
        return answers

    @property
    def _now(self) -> Engine:
        return self._cpu if self._cpu and self.fallback else self._elsewhere


def told(manifest: Manifest, error: EngineError) -> str:
    """Log that the CPU runs the package because of `error`; what to say of it, on one line."""
    why = " ".join(str(error).split())
    log.warning("%s goes on with the CPU: %s", manifest.name, why)
    return why
