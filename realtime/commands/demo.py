"""`python -m realtime demo`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from realtime.config import load
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
from realtime.console.processes import RECOGNISER, agreed, passed_on, taken, together

if TYPE_CHECKING:
    from realtime.config import Config
    from realtime.schema.message import Event
    from realtime.supervise import Supervisor


def demo(
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Play the sample stream to a page and to a subscriber, which prints each event it hears and scores the first pass.

    Goes on until Ctrl-C; with --seconds or --json it ends after the first pass, or so much of it.
    """
    from realtime.demo import truth
    from realtime.demo.demo import CAMERA

    with errors_told(told(verbose), as_json):
        overrides = [*(override or []), f"publish.camera={CAMERA}"]
        overrides += taken(load(config, overrides))  # another Glimpse may be at work
        overrides += agreed(load(config, overrides))
        sees, options = ["run", "--source", str(truth.VIDEO)], passed_on(config, overrides, verbose=verbose)
        supervisor = together(sees, options, _unsaid if as_json else say, quiet=as_json)
        with interruptible(supervisor.stop), supervisor.running() as going:
            _listen(load(config, overrides), supervisor, seconds, going, as_json=as_json)
            if not going():
                raise typer.Exit(INTERRUPTED)


def _listen(
    settings: Config, supervisor: Supervisor, seconds: float | None, going: Callable[[], bool], *, as_json: bool
) -> None:
    from realtime.demo.demo import Demo
    from realtime.pipeline.summary import rss_mb

    heard = _unheard if as_json else say_event
    with Demo(settings.publish, heard, lambda: rss_mb(supervisor.pid(RECOGNISER)), going) as demo:
        if not as_json:
            ports = settings.publish.events_port, settings.publish.state_port
            say("The sample stream, 25 s, plays once, and on while its page is open. This process subscribes as any")
            say("other can, to events at port {} and states at port {}, and hears:".format(*ports))
        played = demo.first(seconds)
        answer(played.to_dict(), played.lines(), as_json=as_json)
        if seconds is None and not as_json:
            demo.go_on()


def _unsaid(_: str) -> None:
    """With --json nothing else is on stdout."""


def _unheard(_: Event) -> None:
    """With --json the events come at the end, with everything else."""
