"""`python -m train datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.errors import DataError
from train.console import AsJson, answer, told


def datasets(
    name: Annotated[str, typer.Argument(help="casme2, samm, smic ..., or manifest for clips of yours.")],
    root: Annotated[Path, typer.Option(help="Folder that the data set was unpacked to.")],
    table: Annotated[Path | None, typer.Option(help="Its annotation table, .xlsx or .csv, if not found there.")] = None,
    labels: Annotated[str | None, typer.Option(help="Label set, such as megc-3, if not the usual one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a data set on disk holds, and all that is wrong with it: exit code 2 if anything is."""
    with told(as_json):
        from train.datasets.corpora.catalogue import survey

        found = survey(name, root, table, labels)
        answer(found.summary(), found.lines(), as_json=as_json)
        if found.problems:
            raise typer.Exit(DataError.exit_code)
