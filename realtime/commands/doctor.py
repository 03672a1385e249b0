"""`python -m realtime doctor`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from realtime.config import load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Verbose, answer, told


def doctor(
    source: Annotated[str, typer.Option(help="What shall be watched, as for run; none leaves the camera out.")] = "0",
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Annotated[
        float, typer.Option(min=0.0, help="To look at the camera, and to measure the speed; 0 leaves both out.")
    ] = 3.0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Look at all that Glimpse needs of this machine, a line each with what to do. Paste it into a report of a bug.

    Libraries beside constraints.txt, processor and the speed to expect, memory, GPU and engines, camera and light,
    ports, keys, disk, clock. Exit code 1 if something stops Glimpse.
    """
    with errors_told(told(verbose), as_json):
        from realtime.doctor.examine import examine

        report = examine(load(config, override), source, seconds)
        answer({"ok": report.ok, **msgspec.to_builtins(report)}, report.lines(), as_json=as_json)
        if not report.ok:
            raise typer.Exit(1)
