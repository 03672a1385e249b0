"""`python -m realtime report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import errors_told, print_json
from realtime.console.options import AsJson, Verbose, say, told


def report(
    session: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run --record` wrote.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The page to write; else DIR/report.html.")] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Make one HTML page of a recorded session: timeline, events, rates, gaps and latencies. It needs no network."""
    from realtime.session import read
    from realtime.session.report.page import write

    with errors_told(told(verbose), as_json):
        path = write(read(session), out)
        if as_json:
            print_json({"report": str(path)})
        else:
            say(f"{path} is ready: open it in a browser")
