"""`python -m realtime replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.config import PublishConfig, load
from realtime.console.console import INTERRUPTED, errors_told
from realtime.console.options import (
    AsJson,
    ConfigFile,
    Overrides,
    Seconds,
    Verbose,
    answer,
    interruptible,
    say,
    say_event,
    told,
)


def replay(
    session: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run --record` wrote.")],
    speed: Annotated[float, typer.Option(min=0.01, max=100.0, help="So many times as fast as it was.")] = 1.0,
    repeat: Annotated[bool, typer.Option("--repeat", help="Begin anew at the end, until Ctrl-C.")] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Publish a recorded session as if it happened now, for any subscriber, the page included; prints its events.

    Only the section publish of the configuration counts. What a recording cannot do is refused with the reason.
    """
    with errors_told(told(verbose), as_json):
        _replay(load(config, override).publish, session, speed, seconds, repeat=repeat, as_json=as_json)


def _replay(
    publish: PublishConfig, folder: Path, speed: float, seconds: float | None, *, repeat: bool, as_json: bool
) -> None:
    from realtime.publish import Answers, Inbox, Publisher
    from realtime.session import read
    from realtime.session.desk import RecordedDesk, refuse
    from realtime.session.replay import Replay

    session = read(folder)
    with Publisher(publish) as publisher:
        playing = Replay(session, publisher, speed=speed, repeat=repeat, told=None if as_json else say_event)
        with Answers(publish, publisher, RecordedDesk(session, playing)) as answers, Inbox(publish, refuse):
            if not as_json:
                say(
                    f"{folder}, recorded of camera {session.header.camera}, plays: state on {publisher.state_address}, "
                    f"events on {publisher.events_address}, questions on {answers.address}; Ctrl-C ends"
                )
            with interruptible(playing.stop):
                sent = playing.run(seconds)
    answer(
        {"messages": sent, "events": publisher.last_event},
        [f"{sent} messages sent, {publisher.last_event} events among them"],
        as_json=as_json,
    )
    if playing.stopped:
        raise typer.Exit(INTERRUPTED)
