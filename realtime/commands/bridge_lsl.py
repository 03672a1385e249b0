"""`python -m realtime bridge-lsl`."""

from __future__ import annotations

from typing import Annotated

import typer

from realtime.config import load
from realtime.console.console import errors_told
from realtime.console.options import ConfigFile, Overrides, Seconds, Verbose, interruptible, say, told


def bridge_lsl(
    config: ConfigFile = None,
    override: Overrides = None,
    name: Annotated[str, typer.Option(help="What the names of all streams begin with.")] = "Glimpse",
    seconds: Seconds = None,
    verbose: Verbose = False,
) -> None:
    """Pass a running Glimpse's states and events on to the Lab Streaming Layer. Waits for one that is not there yet.

    Each camera and face becomes a stream of numbers, each camera's events a stream of JSON markers and one of
    numbers, all stamped with the time at which the camera took the picture.
    """
    with errors_told(told(verbose), as_json=False):
        from realtime.bridge import Bridge

        with Bridge(load(config, override).publish, name, say) as bridge, interruptible(bridge.stop):
            say("waiting for a Glimpse; Ctrl-C ends")
            bridge.run(seconds)
