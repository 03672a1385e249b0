"""`python -m realtime view`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from realtime.commands.options import ConfigFile, Overrides, Verbose, interruptible, load, say, told
from realtime.commands.page import Auth
from realtime.config import Config
from realtime.console import INTERRUPTED, errors_told
from realtime.errors import ConfigError


def view(
    source: Annotated[
        str | None,
        typer.Option(
            help="Camera, 0 without it; video, folder of pictures, or none: browsers' cameras alone."
        ),
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Show a recorded session instead.")] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    auth: Auth = None,
    verbose: Verbose = False,
) -> None:
    """Open a web page on what Glimpse sees: the server's camera, or that of the browser.

    Two processes, the recogniser and the page: one that dies is started again, and the other goes on. Ctrl-C ends both.
    """
    from realtime.supervise import Command, Supervisor, glimpse

    with errors_told(told(verbose), as_json=False):
        if source is not None and replay is not None:
            raise ConfigError("--source and --replay; the page shows one of them")
        settings = load(config, override)
        both = _passed_on(config, [*(override or []), *_agreed(settings)], verbose=verbose)
        sees = ["replay", str(replay)] if replay else ["run", "--source", source or "0"]
        users = [part for user in auth or [] for part in ("--auth", user)]
        supervisor = Supervisor(
            [
                Command("recogniser", glimpse(*sees, "--repeat", *both), quiet=True),
                Command("page", glimpse("page", *both, *users)),
            ],
            say,
        )
        with interruptible(supervisor.stop):
            supervisor.run()
        raise typer.Exit(INTERRUPTED)


def _passed_on(config: Path | None, overrides: list[str], *, verbose: bool) -> list[str]:
    """The options that both processes take."""
    given = ["--config", str(config)] if config else []
    given += [part for override in overrides for part in ("--set", override)]
    return [*given, "--verbose"] if verbose else given


def _agreed(settings: Config) -> Iterator[str]:
    """Overrides that name a free port wherever the configuration says any: both processes must know it."""
    for section in ("publish", "view"):
        for key, value in msgspec.to_builtins(getattr(settings, section)).items():
            if key.endswith("port") and value == 0:
                yield f"{section}.{key}={_free_port()}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
