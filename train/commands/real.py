"""`python -m train real`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Literal

import typer

from train.console import AsJson, Overrides, Workers, answer, numbers, told

OUT = Path("runs/real")


def real(
    clips: Annotated[Path, typer.Option(help="The folder with the marked clips.")],
    people: Annotated[
        Literal["choosing", "testing"], typer.Option(help="Those for choosing, or, once a choice was made, testing.")
    ] = "choosing",
    only: Annotated[
        list[str] | None,
        typer.Option(help="One of them, such as one that an engine has not seen; any number of times."),
    ] = None,
    speeds: Annotated[str, typer.Option(help="So many times as fast each expression is played.")] = "1,2,4,8",
    strengths: Annotated[str, typer.Option(help="Shares of itself that each expression is played at.")] = "1,0.3333",
    marks: Annotated[Path | None, typer.Option(help="Folder with marks.csv and clips.csv of your own clips.")] = None,
    config: Annotated[Path | None, typer.Option(help="A file over configs/realtime.toml.")] = None,
    override: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder for the figures as JSON and every outcome as CSV.")] = OUT,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Play real faces whose expressions are marked through the live pipeline, as they are, faster and weaker."""
    with told(as_json):
        from realtime import config as realtime_config
        from train.chain.real import evaluate
        from train.datasets.marked.marks import FOLDER
        from train.datasets.marked.playing import Playing

        fast, strong = numbers("--speeds", speeds, 0.25, 16.0), numbers("--strengths", strengths, 0.0, 1.0)
        asked = [Playing(speed, strength) for strength, speed in itertools.product(strong, fast)]
        wanted = evaluate.wanted(clips, people, only or (), marks or FOLDER)
        report = evaluate.evaluate(wanted, people, asked, realtime_config.load(config, override or ()), workers)
        report.write(out)
        answer(report.to_dict(), [report.text()], as_json=as_json)
