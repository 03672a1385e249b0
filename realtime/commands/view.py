"""`python -m realtime view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.commands.page import Auth
from realtime.config import load
from realtime.console.console import INTERRUPTED, errors_told
from realtime.console.options import ConfigFile, Overrides, Verbose, interruptible, say, told
from realtime.console.processes import agreed, passed_on, together
from realtime.errors import ConfigError


def view(
    source: Annotated[
        str | None,
        typer.Option(
            help="Camera, 0 without it, or address of a stream, as for run; video, folder of pictures, or none: "
            "browsers' cameras alone."
        ),
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Show a recorded session instead.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a session there, as run with --resume: one more each time that the recogniser starts.",
        ),
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="With --record: the pictures too. They show faces.")] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    auth: Auth = None,
    verbose: Verbose = False,
) -> None:
    """Open a web page on what Glimpse sees: the server's camera, or that of the browser.

    Two processes, the recogniser and the page: one that dies is started again, and the other goes on. Ctrl-C ends both.
    """
    with errors_told(told(verbose), as_json=False):
        if source is not None and replay is not None:
            raise ConfigError("--source and --replay; the page shows one of them")
        if record is not None and replay is not None:
            raise ConfigError("--record and --replay; what is shown was recorded already")
        if video and record is None:
            raise ConfigError("--video says how to record; give --record DIR as well")
        options = passed_on(config, [*(override or []), *agreed(load(config, override))], verbose=verbose)
        sees = ["replay", str(replay)] if replay else ["run", "--source", source or "0"]
        if record is not None:
            sees += ["--record", str(record), "--resume", *(["--video"] if video else [])]
        supervisor = together(sees, options, say, users=auth or ())
        with interruptible(supervisor.stop):
            supervisor.run()
        raise typer.Exit(INTERRUPTED)
