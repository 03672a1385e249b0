"""`python -m train chain`: from a table of videos to the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from realtime import config as realtime_config
from realtime.config import ROOT, Config
from realtime.engine.package.manifest import MODEL
from realtime.engine.package.manifest import load as load_manifest
from train.chain.outcome import AtRate, outcome, plain
from train.chain.play import play_all
from train.chain.scripted import read
from train.chain.show import lines


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The figures, and all that they depend on but the code and the videos."""

    data: Path
    engines: dict[str, str]  #: folder -> sha256 of its model
    config: Config
    rows: tuple[AtRate, ...]

    def text(self) -> str:
        """For people."""
        return "\n".join(lines(self.rows))

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "data": str(self.data),
            "engines": self.engines,
            "rows": plain(self.rows),
            "configuration": msgspec.to_builtins(self.config),
        }


def evaluate(
    data: Path, config: Path | None, overrides: Iterable[str], rates_hz: Sequence[float], workers: int | None = None
) -> ChainReport:
    """Play all videos of the table `data` at their own rate and at `rates_hz`, where they reach it, and score them."""
    settings = realtime_config.load(config, overrides)
    played = play_all(read(data), rates_hz, settings, workers)
    return ChainReport(data, installed(settings), settings, tuple(map(outcome, played.values())))


def installed(config: Config) -> dict[str, str]:
    """Each engine package that runs -> sha256 of its model."""
    folder = ROOT / config.engines.folder
    return {name: load_manifest(folder / name).files[MODEL] for name in config.engines.packages}
