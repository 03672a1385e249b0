"""What the command lines share: how they look, and how they end."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import typer

from realtime.errors import GlimpseError

INTERRUPTED = 130  # 128 + SIGINT: what a shell expects after Ctrl-C


def application(name: str, about: str) -> typer.Typer:
    """An empty command line."""
    return typer.Typer(
        name=name,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


@contextmanager
def errors_told(told: str, as_json: bool, farewell: str = "", level: int = logging.INFO) -> Iterator[None]:
    """Errors of ours end in one message and their exit code, Ctrl-C in 130 and `farewell`, neither with a traceback.

    The log goes to stderr: warnings, and of the package `told`, "" for none, whatever it says from `level` on.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")  # mediapipe's C++ greets on stderr otherwise
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if told:
        logging.getLogger(told).setLevel(level)
    try:
        yield
    except GlimpseError as error:
        if as_json:
            print_json({"error": str(error), "kind": type(error).__name__})
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        if farewell:
            print(farewell, file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away: nothing is left to say, and nobody to say it to
        raise typer.Exit(0) from None


def print_json(value: Any) -> None:
    """Indented, on stdout, at once."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), flush=True)
