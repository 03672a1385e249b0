"""`python -m realtime run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.capture.url import masked
from realtime.config import ROOT, Config, load
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
from realtime.errors import ConfigError, SessionError

if TYPE_CHECKING:
    from realtime.capture.source import Source
    from realtime.live import Live
    from realtime.publish import Sized
    from realtime.session import Recorder

ELSEWHERE = "none"
ALONE = "no port is opened for a file that is played fast, unless --publish says so; Ctrl-C ends"


def run(
    source: Annotated[
        str,
        typer.Option(
            help="Camera by number, path or a part of its name; address of a stream, such as rtsp://host/path; video, "
            "picture, folder of pictures; or none: cameras elsewhere alone."
        ),
    ] = "0",
    config: ConfigFile = None,
    override: Overrides = None,
    seconds: Seconds = None,
    fast: Annotated[bool, typer.Option("--fast", help="Play a file as fast as possible, not in real time.")] = False,
    repeat: Annotated[bool, typer.Option("--repeat", help="Play a file again and again.")] = False,
    rest: Annotated[
        bool,
        typer.Option(
            "--rest",
            help="With --repeat: after the first pass, rest while no page shows it.",
        ),
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="With --fast: open the ports too, for subscribers who then hear what they can."),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a session there, for replay, report and export.")
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="With --record: the pictures too. They show faces.")] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="With --record: where DIR holds a session, go on in DIR-2, DIR-3 ..., and answer who asks for events "
            "of those before.",
        ),
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Watch a camera or a file, and cameras elsewhere, and publish what is found; prints events and a closing table.

    Listen from any other terminal with `python -m realtime listen`. Ctrl-C ends it cleanly. A file that is played with
    --fast needs nobody who listens: no port is opened, so it runs beside whatever holds them, unless --publish says so.
    """
    with errors_told(told(verbose), as_json):
        if (video or resume) and record is None:
            raise ConfigError(f"{'--video' if video else '--resume'} says how to record; give --record DIR as well")
        if rest and not repeat:
            raise ConfigError("--rest says how to repeat; give --repeat as well")
        settings = load(config, override)
        opened = None if source == ELSEWHERE else _opened(settings, source, fast=fast, repeat=repeat)
        alone = opened is not None and not opened.live and not publish
        kept = _Recording(record, video=video, resume=resume, file="" if opened is None else _file_name(source))
        _run(settings, opened, masked(source), seconds, kept, alone=alone, rest=rest, as_json=as_json)


def _file_name(source: str) -> str:
    """Nothing for a camera or a stream."""
    from realtime.capture.source import recorded

    path = recorded(source)
    return "" if path is None else path.resolve().name


def _opened(settings: Config, spec: str, *, fast: bool, repeat: bool) -> Source:
    from realtime.capture.repeat import Repeated
    from realtime.capture.source import open_source

    open_it = partial(open_source, spec, settings.source, fast=fast)
    return Repeated(open_it) if repeat else open_it()


def _run(
    settings: Config,
    source: Source | None,
    title: str,
    seconds: float | None,
    kept: _Recording,
    *,
    alone: bool,
    rest: bool,
    as_json: bool,
) -> None:
    from realtime.capture.repeat import Repeated
    from realtime.live import Alone, Live
    from realtime.pipeline.summary import lines

    with ExitStack() as opened:
        if source is not None:  # whatever fails: its thread in OpenCV would abort the process that ends
            opened.callback(source.close)
        recorder, earlier = kept.begun(settings, opened)
        live = opened.enter_context(Alone(settings, recorder) if alone else Live(settings, recorder, earlier))
        if rest and isinstance(source, Repeated):
            source.wanted = live.streams.looked_at
        if not as_json:
            say(*(_where(live) if isinstance(live, Live) else [ALONE]))
            say(*([f"recorded in {recorder.folder}"] if recorder is not None and kept.resume else []))
        with interruptible(live.streams.stop):
            summary = live.run(source, seconds, None if as_json else say_event)
        stopped = live.streams.stopped
        lost = "" if recorder is None else recorder.stopped
    if summary is not None:
        answer(summary, lines(summary, title), as_json=as_json)
    if lost:
        typer.echo(f"error: the session is not whole: {lost}", err=True)
        raise typer.Exit(SessionError.exit_code)
    if stopped:
        raise typer.Exit(INTERRUPTED)


@dataclass(frozen=True)
class _Recording:
    """What is to be kept of a run, and where; nothing without a folder."""

    folder: Path | None
    video: bool
    resume: bool
    file: str = ""  #: what is played, by its name

    def begun(self, settings: Config, opened: ExitStack) -> tuple[Recorder | None, Sequence[Sized]]:
        """A recorder that `opened` closes, and the events that runs before this one kept."""
        from realtime.session import Recorder, going_on, kept_events

        if self.folder is None:
            return None, ()
        folder, before = going_on(self.folder) if self.resume else (self.folder, [])
        engines = ROOT / settings.engines.folder
        packages = [engines / name for name in settings.engines.packages]
        recorder = opened.enter_context(Recorder(folder, settings, packages, video=self.video, file=self.file))
        return recorder, kept_events(before, settings.publish.kept_events)


def _where(live: Live) -> Iterator[str]:
    yield f"state on {live.publisher.state_address}, events on {live.publisher.events_address}; Ctrl-C ends"
    yield f"questions on {live.answers.address}, pictures of cameras elsewhere on {live.inbox.address}"
    if live.answers.private_address:
        yield f"pictures, for programs of this user alone, on {live.answers.private_address}"
