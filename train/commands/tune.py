"""`python -m train tune`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from train.console import AsJson, Overrides, Workers, answer, told


def tune(
    config: Annotated[Path, typer.Option(help="configs/tune.toml, or a copy of yours.")],
    override: Overrides = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Search settings of the detector on long videos of some people, and measure them on those of others."""
    with told(as_json):
        from train.tuning.config import load
        from train.tuning.report import lines
        from train.tuning.tune import tune as search

        found = search(load(config, override or ()), workers)
        answer(asdict(found), lines(found), as_json=as_json)
