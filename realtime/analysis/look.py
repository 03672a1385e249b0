"""One file through the live pipeline, as fast as it goes, and all that is made of what was found."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from realtime.analysis import events, place
from realtime.analysis.annotate import annotate
from realtime.analysis.results import Analysed
from realtime.analysis.upright import Glanced, lies
from realtime.capture.source import FiniteSource, Source, open_recording
from realtime.config import ROOT, Config
from realtime.engine.engine import Engine
from realtime.errors import SessionError, SourceError
from realtime.pipeline.pipeline import Pipeline
from realtime.pipeline.summary import Summary, version
from realtime.publish import Outlet, Unheard
from realtime.recognition.recognise import Judges
from realtime.schema.message import Event, Meta, State
from realtime.session import Recorder, RecordingOutlet, Session, layout, read
from realtime.session.report.page import write as write_report
from realtime.session.tables.export import export
from realtime.session.tables.rows import EVENTS, OF_PUBLISHING, STATES

SESSION = "session"
#: Of all the work, what drawing and encoding take where an annotated video is wanted.
DRAWING = 0.35
Told = Callable[[float], object]  #: a share of the work, 0..1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of each file beside its events and its report."""

    tables: Literal["csv", "parquet"] = "csv"
    annotated: bool = False


@dataclass(frozen=True, slots=True)
class FileTask:
    """A file, the folder of its results, and where that is put together."""

    file: Path
    folder: Path
    partial: Path


class Followed:
    """An outlet that keeps the last answer about each event, and tells how far the file is."""

    def __init__(self, outlet: Outlet, seconds: float | None, told: Told) -> None:
        self._outlet, self._seconds, self._told = outlet, seconds, told
        self.events: dict[int, Event] = {}
        self.last_s = 0.0

    def state(self, state: State) -> None:
        self._outlet.state(state)
        self.last_s = state.t
        self._told(min(state.t / self._seconds, 1.0) if self._seconds else 0.0)

    def event(self, event: Event) -> Event:
        numbered = self._outlet.event(event)
        self.events[numbered.id] = numbered
        return numbered

    def meta(self, meta: Meta) -> Meta:
        return self._outlet.meta(meta)


def look(task: FileTask, wanted: Wanted, config: Config, pair: tuple[Engine, Judges], told: Told) -> Analysed:
    """Look at `task.file`; GlimpseError where it cannot be, and then no folder is left behind."""
    began = time.monotonic()
    source = _opened(task.file, config)
    try:
        try:
            task.partial.mkdir(mode=layout.PRIVATE_FOLDER, parents=True)
        except OSError as error:
            raise SessionError(f"{task.folder} cannot be written: {error.strerror}; give another --out") from None
        found = _made(task, wanted, config, pair, source, told)
        place.placed(task.partial, task.folder)
    except OSError as error:
        raise SessionError(f"{task.folder} cannot be written: {error}; make room, or give another --out") from None
    finally:
        source.close()
        shutil.rmtree(task.partial, ignore_errors=True)
    return msgspec.structs.replace(found, took_s=round(time.monotonic() - began, 3))


def _made(
    task: FileTask, wanted: Wanted, config: Config, pair: tuple[Engine, Judges], source: FiniteSource, told: Told
) -> Analysed:
    share = 1.0 - DRAWING if wanted.annotated else 1.0
    glanced = Glanced(source)
    engines = [ROOT / config.engines.folder / name for name in config.engines.packages]
    folder = task.partial / SESSION
    with Recorder(folder, config, engines, video=False, file=task.file.absolute().name) as recorder:
        outlet = Followed(RecordingOutlet(Unheard(), recorder), source.seconds, lambda done: told(share * done))
        summary = _played(glanced, outlet, config, pair, recorder)
        if recorder.stopped:
            raise SessionError(f"{task.folder}: {recorder.stopped}; make room, or give another --out")
    plays = outlet.last_s + 1.0 / source.rate_hz if summary.frames else 0.0
    _written(task, wanted, read(folder), outlet, plays, summary.frames)
    if wanted.annotated:
        again = _opened(task.file, config)
        try:
            annotate(again, read(folder), task.partial / place.ANNOTATED, lambda t: told(share + DRAWING * t / plays))
        finally:
            again.close()
    shutil.rmtree(folder)
    lying = "" if summary.faces else lies(glanced.pictures, config)
    gone = sum(event.stage == "withdrawn" for event in outlet.events.values())
    return Analysed(
        file=str(task.file),
        folder=str(task.folder),
        seconds=round(plays, 3),
        frames=summary.frames,
        faces=len(summary.faces),
        events=len(outlet.events) - gone,
        withdrawn=gone,
        notes=tuple(filter(None, (summary.note, lying))),
    )


def _opened(file: Path, config: Config) -> FiniteSource:
    path = file.absolute()
    if not (path.is_file() or path.is_dir()):
        found = "no such file" if not os.path.lexists(path) else "neither a file nor a folder"
        raise SourceError(f"{file}: {found}; wanted a video, a picture, or a folder of pictures")
    return open_recording(path, config.source, fast=True)


def _played(source: Source, outlet: Outlet, config: Config, pair: tuple[Engine, Judges], recorder: Recorder) -> Summary:
    def keep(event: Event) -> None:
        pictures = pipeline.moments.pictures(event.id) if event.stage == "final" else None
        if pictures is not None:
            recorder.moment(event.id, pictures, pipeline.loop(event))

    pipeline = Pipeline(config, source, outlet, pair, keep, pictures=True)
    return pipeline.run()


def _written(task: FileTask, wanted: Wanted, session: Session, outlet: Followed, plays: float, frames: int) -> None:
    """Tables, JSON and report."""
    export(session, wanted.tables, task.partial, {STATES: "frames"}, OF_PUBLISHING)
    export(session, "csv", task.partial, {EVENTS: "events"}, {*OF_PUBLISHING, "t_s"})
    known = outlet.events.values()
    events.write(task.partial / place.EVENTS_JSON, session.header.file, plays, frames, known, version())
    write_report(session, task.partial / place.REPORT)
