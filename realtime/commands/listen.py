"""`python -m realtime listen`."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from realtime import show
from realtime.config import PublishConfig, load
from realtime.console.console import errors_told
from realtime.console.options import AsJson, ConfigFile, Overrides, Seconds, Verbose, interrupt, say, told
from realtime.schema.message import Published

#: How long nothing is said about a Glimpse that does not answer.
PATIENT_S = 2.0


def listen(
    config: ConfigFile = None,
    override: Overrides = None,
    events: Annotated[bool, typer.Option("--events", help="Only events, not the state of every frame.")] = False,
    seconds: Seconds = None,
    state_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the state socket; else publish.state_port.")
    ] = None,
    events_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the events; else publish.events_port.")
    ] = None,
    replay_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port that sends lost events again; 0 for none.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Print what a running Glimpse publishes, one line a message. Waits for one that is not there yet."""
    with errors_told(told(verbose), as_json):
        publish = load(config, override).publish
        if replay_port is None:  # another's events are no use where these come from a port of their own
            replay_port = publish.replay_port if events_port is None else 0
        publish = msgspec.structs.replace(
            publish,
            state_port=state_port or publish.state_port,
            events_port=events_port or publish.events_port,
            replay_port=replay_port,
        )
        for message in _heard(publish, states=not events, seconds=seconds):
            say(msgspec.json.encode(message).decode() if as_json else show.line(message))


def _heard(publish: PublishConfig, *, states: bool, seconds: float | None) -> Iterator[Published]:
    """Messages of a running Glimpse until `seconds` are over or the process is told to end."""
    from realtime.publish import Subscriber

    signal.signal(signal.SIGTERM, interrupt)
    with Subscriber(publish, states="newest" if states else None, events=True) as subscriber:
        until = math.inf if seconds is None else time.monotonic() + seconds
        if not subscriber.ready(min(PATIENT_S, until - time.monotonic())) and time.monotonic() < until:
            print(f"waiting for a Glimpse at {publish.host}:{publish.events_port} ...", file=sys.stderr, flush=True)
        if subscriber.ready(max(min(until - time.monotonic(), 1e9), 0.0)):
            print("listening", file=sys.stderr, flush=True)
        while time.monotonic() < until:
            received = subscriber.receive(0.1)
            if received is not None:
                yield received.message
