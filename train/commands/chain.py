"""`python -m train chain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.console import AsJson, Overrides, Workers, answer, numbers, told


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

        slower = numbers("--rates", rates, 1.0, 1000.0) if rates else []
        report = evaluate.evaluate(data, config, override or (), slower, workers)
        answer(report.to_dict(), [report.text()], as_json=as_json)
