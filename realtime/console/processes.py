"""The recogniser and the page as two processes that are kept running together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.config import Config
from realtime.ports import free_port, is_free, ports

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

    A file rests while nobody looks at the page, unless it is recorded. `quiet` also leaves out the page's address.
    """
    from realtime.supervise import Command, Supervisor, glimpse

    let_in = [part for user in users for part in ("--auth", user)]
    rest = ["--rest"] if sees[0] == "run" and "--record" not in sees else []
    recogniser = Command(RECOGNISER, glimpse(*sees, "--repeat", *rest, *options), quiet=True)
    shows = ["--recorded"] if sees[0] == "replay" else []
    page = Command(PAGE, glimpse("page", *options, *let_in, *shows), quiet=quiet)
    return Supervisor([recogniser, page], told)


def passed_on(config: Path | None, overrides: Sequence[str], *, verbose: bool) -> list[str]:
    """The options that both processes take."""
    given = ["--config", str(config)] if config else []
    given += [part for override in overrides for part in ("--set", override)]
    return [*given, "--verbose"] if verbose else given


def agreed(settings: Config) -> Iterator[str]:
    """Overrides that name a free port wherever the configuration says any: both processes must know it."""
    for key, _, port in ports(settings):
        if port == 0:
            yield f"{key}={free_port()}"


def taken(settings: Config) -> Iterator[str]:
    """Overrides that say any port wherever the one of the configuration is in use."""
    for key, host, port in ports(settings):
        if port and not is_free(host, port):
            yield f"{key}=0"
