"""`python -m realtime check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.config import Backend, load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Verbose, answer, told


def check(
    engine: Annotated[Path, typer.Argument(help="Folder of an engine package, such as engines/encoder.")],
    backend: Annotated[
        Backend | None, typer.Option(help="On exactly this, and nothing in its place; else as engines.device says.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Replay an engine's golden inputs on this machine and show how far its answers are from torch's."""
    from realtime.engine.check import check as replay
    from realtime.engine.check import lines

    with errors_told(told(verbose), as_json):
        report = replay(engine.resolve(), load(config, override).engines, backend)
        answer(report.to_dict(), lines(report), as_json=as_json)
        if not report.ok:
            raise typer.Exit(1)
