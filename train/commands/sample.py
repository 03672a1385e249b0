"""`python -m train sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.demo import truth
from train.console import AsJson, show, told


def sample(
    folder: Annotated[
        Path, typer.Option(help="Where sample.mp4 and sample.json go.", show_default="realtime/demo/data")
    ] = truth.FOLDER,
    as_json: AsJson = False,
) -> None:
    """Make the bundled sample stream and its truth anew (needs the ffmpeg program)."""
    with told(as_json):
        from train.synthesis.sample.stream import build

        build(folder)
        show({"sample": str(folder / "sample.mp4")}, as_json)
