"""`python -m realtime report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import errors_told
from realtime.console.options import AsJson, Verbose, answer, told


def report(
    session: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that `run --record` wrote, or the page's download.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page to write; else DIR/report.html, or beside a zip file.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Make one HTML page of a recorded session: timeline, events, rates, gaps and latencies. It needs no network."""
    from realtime.session.report.page import write
    from realtime.session.unpack import opened

    with errors_told(told(verbose), as_json):
        beside = session.with_name(f"{session.stem}-report.html") if session.is_file() else None
        with opened(session) as found:
            path = write(found, out or beside)
        answer({"report": str(path)}, [f"{path} is ready: open it in a browser"], as_json=as_json)
