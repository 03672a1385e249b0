"""`python -m realtime export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from realtime.console.console import errors_told
from realtime.console.options import AsJson, Verbose, answer, told


def export(
    session: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run --record` wrote.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for states, events and meta, one file each.")],
    to: Annotated[Literal["csv", "parquet"], typer.Option(help="parquet needs the extra of that name.")] = "csv",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Turn a recorded session into three tables, whose columns say their units."""
    from realtime.session import read
    from realtime.session.tables.export import export as write

    with errors_told(told(verbose), as_json):
        written = write(read(session), to, out)
        answer(
            {str(path): rows for path, rows in written.items()},
            (f"{path}  {rows} rows" for path, rows in written.items()),
            as_json=as_json,
        )
