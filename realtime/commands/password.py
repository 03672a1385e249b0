"""`python -m realtime password`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from realtime.console.console import errors_told
from realtime.console.options import say
from realtime.errors import ConfigError


def password(file: Annotated[Path, typer.Argument(help="Where it is kept, as a hash, for --auth USER:FILE.")]) -> None:
    """Keep a password for the page; it is asked for, or read from a pipe."""
    with errors_told("", as_json=False):
        from realtime.view.access.passwords import Password

        Password.made(_asked()).write(file)
        say(f"{file} is written; `python -m realtime view --auth USER:{file}` lets USER in with it")


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise ConfigError("the two passwords differ; try again")
    return first
