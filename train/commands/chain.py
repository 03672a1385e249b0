"""`python -m train chain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import print_json
from train.console import AsJson, Overrides, Workers, told


def chain(
    data: Annotated[Path, typer.Option(help="A table of videos and their events, or a folder of videos with truth.")],
    config: Annotated[Path | None, typer.Option(help="A file over configs/realtime.toml.")] = None,
    override: Overrides = None,
    rates: Annotated[str, typer.Option(help="Slower cameras that the videos are also seen through.")] = "30,60,100,200",
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Play long videos with known events through the live pipeline: spotting, recognition and both."""
    with told(as_json):
        from train.chain import evaluate

        report = evaluate.evaluate(data, config, override or (), evaluate.rates(rates), workers)
        if as_json:
            print_json(report.to_dict())
        else:
            print(report.text())
