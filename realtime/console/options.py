"""What the commands share: options with one meaning, and how a command is interrupted."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from realtime import show
from realtime.console.console import print_json
from realtime.schema.message import Event

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file with the keys that differ from configs/realtime.toml.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one key; may be given several times.")
]
Seconds = Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds; without it, at the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens to stderr.")]


def told(verbose: bool) -> str:
    """The package whose log is shown, as `errors_told` takes it."""
    return "realtime" if verbose else ""


def say(*lines: str) -> None:
    """Print at once, since others read along."""
    for line in lines:
        print(line, flush=True)


def answer(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print what was found: `value` as JSON, or `lines`."""
    if as_json:
        print_json(value)
    else:
        say(*lines)


def say_event(event: Event) -> None:
    """Print an event as one line."""
    say(show.line(event))


@contextmanager
def interruptible(stop: Callable[[], object]) -> Iterator[None]:
    """The first Ctrl-C, or SIGTERM, asks for a clean end; a second one does not wait."""

    def asked(number: int, _: Any) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, so that what is open is closed."""
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt(*_: Any) -> None:
    """A signal handler that ends the command as Ctrl-C does."""
    raise KeyboardInterrupt
