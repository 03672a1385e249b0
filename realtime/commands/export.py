"""`python -m realtime export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from realtime.console.console import errors_told
from realtime.console.options import AsJson, Verbose, answer, told


def export(
    session: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that `run --record` wrote, or the page's download.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the tables, one file each.")],
    to: Annotated[Literal["csv", "parquet"], typer.Option(help="parquet needs the extra of that name.")] = "csv",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Turn a recorded session into tables, whose columns say their units: states, events, all answers, and meta."""
    from realtime.session.tables.export import export as write
    from realtime.session.unpack import opened

    with errors_told(told(verbose), as_json):
        with opened(session) as found:
            written = write(found, to, out)
        answer(
            {str(path): rows for path, rows in written.items()},
            (f"{path}  {rows} rows" for path, rows in written.items()),
            as_json=as_json,
        )
