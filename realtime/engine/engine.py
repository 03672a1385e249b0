"""What every backend makes of an engine package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from realtime.engine.package.manifest import Manifest
from realtime.records import Floats


class Engine(Protocol):
    """A network ready to answer. One thread at a time may call `run`."""

    @property
    def manifest(self) -> Manifest:
        """Of the package."""

    @property
    def precision(self) -> str:
        """Of the arithmetic, as the runtime reports it: "f32", "f16", "bf16" or "int8"."""

    @property
    def backend(self) -> str:
        """Library and version."""

    @property
    def fallback(self) -> str | None:
        """Why the CPU runs it instead of the device that was asked for; None while that runs it."""

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """float32 arrays by input name, (B, ...) each -> float32 arrays by output name, the caller's to keep."""
