"""`python -m realtime demo`."""

from __future__ import annotations

from typing import Annotated

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
from realtime.console import INTERRUPTED, errors_told, print_json
from realtime.message import Event


def demo(
    source: Annotated[
        str | None, typer.Option(help="Camera or file to watch instead of the bundled sample, which alone is scored.")
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Play the sample stream, or watch a camera; a subscriber in another process hears the events."""
    from realtime.demo import FREE_PORTS, Demo

    with errors_told(told(verbose), as_json):
        settings = load(config, [*(() if source else FREE_PORTS), *(override or [])])
        played = Demo(settings, _unheard if as_json else say_event, *([source] if source else []))
        if not as_json:
            say(f"{source or 'The sample stream, 25 s,'} plays; a second process subscribes and hears:")
        with interruptible(played.pipeline.stop):
            found = played.run(seconds)
        if as_json:
            print_json(found.to_dict())
        else:
            say(*found.lines(source or "sample stream"))
        if played.pipeline.stopped:
            raise typer.Exit(INTERRUPTED)


def _unheard(_: Event) -> None:
    """With --json the events come at the end, with everything else."""
