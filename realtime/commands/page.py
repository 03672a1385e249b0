"""`python -m realtime page`."""

from __future__ import annotations

from typing import Annotated

import typer

from realtime.config import load
from realtime.console.console import errors_told
from realtime.console.options import ConfigFile, Overrides, Verbose, say, told

Auth = Annotated[
    list[str] | None,
    typer.Option(metavar="USER:FILE", help="Let only such users in; `password FILE` makes the file. Several times."),
]


def page(
    config: ConfigFile = None,
    override: Overrides = None,
    auth: Auth = None,
    recorded: Annotated[bool, typer.Option("--recorded", help="Say that a recording is shown: of `replay`.")] = False,
    verbose: Verbose = False,
) -> None:
    """Serve the page of a Glimpse that runs already, or will: `view` runs both."""
    with errors_told(told(verbose), as_json=False):
        from realtime.view.access.passwords import users
        from realtime.view.serve import serve

        serve(load(config, override), users(auth or []), say, recorded=recorded)
