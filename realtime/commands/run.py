"""`python -m realtime run`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from realtime.commands.options import (
    AsJson,
    ConfigFile,
    Overrides,
    Seconds,
    Verbose,
    interruptible,
    load,
    say,
    say_event,
    told,
)
from realtime.config import Config
from realtime.console import INTERRUPTED, errors_told, print_json


def run(
    source: Annotated[str, typer.Option(help="Camera number, video file, picture, or folder of pictures.")] = "0",
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    fast: Annotated[bool, typer.Option("--fast", help="Play a file as fast as possible, not in real time.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Watch a camera or a file and publish what is found; prints each event and a closing table.

    Listen from any other terminal with `python -m realtime listen`. Ctrl-C ends it cleanly.
    """
    with errors_told(told(verbose), as_json):
        _run(load(config, override), source, seconds, fast=fast, as_json=as_json)


def _run(settings: Config, spec: str, seconds: float | None, *, fast: bool, as_json: bool) -> None:
    from realtime.pipeline import Pipeline, engines
    from realtime.publish import Publisher
    from realtime.source import open_source
    from realtime.summary import lines

    source = open_source(spec, settings.source, fast=fast)
    with Publisher(settings.publish) as publisher:
        told = None if as_json else say_event
        pipeline = Pipeline(settings, source, publisher, engines(settings), told)
        if not as_json:
            say(f"state on {publisher.state_address}, events on {publisher.events_address}; Ctrl-C ends")
        with interruptible(pipeline.stop):
            summary = pipeline.run(seconds)
    if as_json:
        print_json(msgspec.to_builtins(summary))
    else:
        say(*lines(summary, spec))
    if pipeline.stopped:
        raise typer.Exit(INTERRUPTED)
