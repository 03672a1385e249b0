"""The recogniser and the page as two processes that are kept running together."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from realtime.config import Config

if TYPE_CHECKING:
    from realtime.supervise import Supervisor

RECOGNISER, PAGE = "recogniser", "page"


def together(
    sees: Sequence[str],
    options: Sequence[str],
    told: Callable[[str], None],
    *,
    users: Sequence[str] = (),
    quiet: bool = False,
) -> Supervisor:
    """Keeps `python -m realtime SEES --repeat` and the page running, both with `options`; `users` are --auth's.

    `quiet` also leaves out the page's address.
    """
    from realtime.supervise import Command, Supervisor, glimpse

    let_in = [part for user in users for part in ("--auth", user)]
    recogniser = Command(RECOGNISER, glimpse(*sees, "--repeat", *options), quiet=True)
    page = Command(PAGE, glimpse("page", *options, *let_in), quiet=quiet)
    return Supervisor([recogniser, page], told)


def passed_on(config: Path | None, overrides: Sequence[str], *, verbose: bool) -> list[str]:
    """The options that both processes take."""
    given = ["--config", str(config)] if config else []
    given += [part for override in overrides for part in ("--set", override)]
    return [*given, "--verbose"] if verbose else given


def agreed(settings: Config) -> Iterator[str]:
    """Overrides that name a free port wherever the configuration says any: both processes must know it."""
    for key, _, port in _ports(settings):
        if port == 0:
            yield f"{key}={_free_port()}"


def taken(settings: Config) -> Iterator[str]:
    """Overrides that say any port wherever the one of the configuration is in use."""
    for key, host, port in _ports(settings):
        if port and not _is_free(host, port):
            yield f"{key}=0"


def _ports(settings: Config) -> Iterator[tuple[str, str, int]]:
    """Key, host and port of everything that is bound."""
    for name in ("publish", "view"):
        section = msgspec.to_builtins(getattr(settings, name))
        yield from ((f"{name}.{key}", section["host"], port) for key, port in section.items() if key.endswith("port"))


def _is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port
