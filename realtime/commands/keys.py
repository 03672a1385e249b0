"""`python -m realtime keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import errors_told
from realtime.console.options import say


def keys(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the keys are, or will be.")],
    client: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let one more machine in, known as NAME, and make its keys.")
    ] = None,
) -> None:
    """Make the keys without which nothing goes beyond this machine; says what to copy where."""
    with errors_told("", as_json=False):
        say(*(_made(folder) if client is None else _added(folder, client)))


def _made(folder: Path) -> list[str]:
    from realtime.publish.connection.keys import make_keys

    make_keys(folder)
    return [
        f"keys made in {folder}; they stay on this machine.",
        f"Every Glimpse program here then takes  --set publish.keys={folder}",
        "and lets other machines in with        --set publish.host=0.0.0.0",
        f"For each of those:                     python -m realtime keys {folder} --client NAME",
    ]


def _added(folder: Path, name: str) -> list[str]:
    from realtime.publish.connection.keys import add_client

    copy = add_client(folder, name)
    return [
        f"{name} is let in. Move the folder {copy} to that machine, by a way that nobody listens to:",
        "who has it can hear everything. There, with this machine's address for ADDRESS:",
        f"  python -m realtime listen --set publish.keys={copy.name} --set publish.host=ADDRESS",
        f"To let {name} in no longer, delete {folder / 'clients' / f'{name}.key'}.",
    ]
