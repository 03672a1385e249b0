"""`python -m train videos`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from train.console import AsJson, Overrides, show, told


def videos(
    config: Annotated[
        list[Path], typer.Option(help="A file of configs/data that says who is filmed; others may stand beside it.")
    ],
    root: Annotated[Path, typer.Option(help="Empty or new folder for NAME.mp4 and NAME.json, its truth.")],
    override: Overrides = None,
    count: Annotated[int, typer.Option(min=1, help="One of each person.")] = 4,
    skip: Annotated[int, typer.Option(min=0, help="So many people of that side are left out, as seen before.")] = 0,
    seconds: Annotated[float, typer.Option(min=5.0)] = 60.0,
    micro: Annotated[float, typer.Option(min=0.0, help="Micro-expressions a minute.")] = 6.0,
    side: Annotated[
        Literal["training", "calibration", "held-out"],
        typer.Option(help="People that training sees, that settings are chosen on, or that nothing has seen."),
    ] = "held-out",
    as_json: AsJson = False,
) -> None:
    """Write long synthetic videos of a source's people with micro-expressions and distractors, and their truth."""
    with told(as_json):
        from train.registry import filmed
        from train.synthesis.synthetic import Synthetic
        from train.synthesis.videos import write

        dataset = Synthetic(filmed(config, override or ()))
        people = dataset.side(side)[skip : skip + count]
        show({"truth": list(map(str, write(dataset, root, people, seconds, micro)))}, as_json)
