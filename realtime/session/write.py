"""Writes a session while it goes on, and never harms what it records: a disk that fails ends the recording alone."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from io import BufferedWriter
from pathlib import Path

import msgspec

from realtime.config import Config
from realtime.engine.package.manifest import MANIFEST
from realtime.errors import SessionError
from realtime.pipeline.loop import Loop
from realtime.pipeline.summary import version
from realtime.publish import Outlet
from realtime.schema.message import Event, Meta, MomentPictures, Published, State, encode, topic_of
from realtime.session import layout

log = logging.getLogger(__name__)


class Recorder:
    """Writes into `folder`, which must be new or empty, from any thread; SessionError where that cannot begin.

    `packages` are the folders of the engines at work, `file` names what is played, if that is a file. Once a write
    fails, `stopped` says why, the log says it too, and all that comes later is left out.
    """

    def __init__(self, folder: Path, config: Config, packages: Sequence[Path], *, video: bool, file: str = "") -> None:
        self.folder = folder
        self.video = video
        self.stopped = ""  #: why nothing is written any more; empty while all is well
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._picture_bytes = 0
        self._camera = config.publish.camera
        self._journal: BufferedWriter | None = None
        self._files = ExitStack()
        try:
            _make(folder)
            _describe(folder, config, packages, self._began, file)
            self._messages = self._create(layout.MESSAGES)
            self._pictures = self._create(layout.PICTURES) if video else None
            self._index = self._create(layout.PICTURES_INDEX) if video else None
            if self._index is not None:
                _append(self._index, layout.COLUMNS.encode())
        except OSError as error:
            self._files.close()
            raise SessionError(f"{folder} cannot be written: {error}; record into a folder that can") from None

    def write(self, message: Published) -> None:
        """Add `message`, published now."""
        frame = encode(topic_of(message), message)
        self._attempt(lambda: self._write(frame))

    def keep(self, event: Event) -> None:
        """Add `event`, about to be published, to those that a later run answers replay from; other cameras' are not.

        What comes from a visitor's camera is theirs to record.
        """
        if event.camera == self._camera:
            frame = encode(topic_of(event), event)
            self._attempt(lambda: self._keep(frame))

    def picture(self, t: float, frame: int, jpeg: bytes) -> None:
        """Add the picture of a frame, seen at `t`; does nothing where no video is recorded."""
        self._attempt(lambda: self._write_picture(t, frame, jpeg))

    def moment(self, event: int, pictures: MomentPictures, loop: Loop | None = None) -> None:
        """Keep the pictures of an event, in place of earlier ones."""
        self._attempt(lambda: self._write_moment(event, pictures, loop))

    def close(self) -> None:
        """End the session."""
        with self._lock:
            self._end("it was closed")

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self, name: str) -> BufferedWriter:
        return self._files.enter_context((self.folder / name).open("xb"))

    def _attempt(self, act: Callable[[], None]) -> None:
        with self._lock:
            if self.stopped:
                return
            try:
                act()
            except OSError as error:
                self._end(f"{self.folder} cannot be written any more: {error}")
                log.error("recording has stopped, the live stream goes on: %s", self.stopped)

    def _end(self, why: str) -> None:
        self.stopped = self.stopped or why
        with suppress(OSError):  # a full disk refuses what is left to write once more
            self._files.close()

    def _write(self, frame: bytes) -> None:
        _append(self._messages, self._record(frame))

    def _keep(self, frame: bytes) -> None:
        if self._journal is None:
            self._journal = self._create(layout.JOURNAL)
        _append(self._journal, self._record(frame))

    def _record(self, frame: bytes) -> bytes:
        return layout.PREFIX.pack(len(frame), time.monotonic() - self._began) + frame

    def _write_picture(self, t: float, frame: int, jpeg: bytes) -> None:
        if self._pictures is None or self._index is None:
            return
        _append(self._pictures, jpeg)
        _append(self._index, f"{frame},{t!r},{self._picture_bytes},{len(jpeg)}\n".encode())
        self._picture_bytes += len(jpeg)

    def _write_moment(self, event: int, pictures: MomentPictures, loop: Loop | None) -> None:
        folder = self.folder / layout.MOMENTS
        folder.mkdir(exist_ok=True)
        for which in ("onset", "apex", "exaggerated"):
            (self.folder / layout.moment_name(event, which)).write_bytes(getattr(pictures, which))
        said = layout.Moment(times=pictures.times)
        if loop is not None:
            (self.folder / layout.moment_name(event, "offset")).write_bytes(loop.offset)
            (self.folder / layout.moment_name(event, layout.STRIP)).write_bytes(loop.strip)
            said = layout.Moment(
                times=pictures.times,
                frames_s=loop.times,
                side_px=loop.side_px,
                enlarged=loop.enlarged,
                units=loop.units,
            )
        (folder / f"{event}.json").write_bytes(msgspec.json.encode(said))


class RecordingOutlet:
    """An outlet that sends through `outlet` and records what was sent."""

    def __init__(self, outlet: Outlet, recorder: Recorder) -> None:
        self._outlet = outlet
        self._recorder = recorder

    def state(self, state: State) -> None:
        """Send and record `state`; also where publish.rate_hz sends fewer."""
        self._outlet.state(state)
        self._recorder.write(state)

    def event(self, event: Event) -> Event:
        """Send `event` and record it with the number that it was given."""
        numbered = self._outlet.event(event)
        self._recorder.write(numbered)
        return numbered

    def meta(self, meta: Meta) -> Meta:
        """Send `meta` and record it as it was sent."""
        sent = self._outlet.meta(meta)
        self._recorder.write(sent)
        return sent


def _append(file: BufferedWriter, data: bytes) -> None:
    """Hand `data` to the system at once: from then on killing this process does not lose it."""
    file.write(data)
    file.flush()


def _make(folder: Path) -> None:
    if (folder / layout.HEADER).exists():
        raise SessionError(
            f"{folder} holds a session already, which is not overwritten; give a new folder, or --resume to go on"
        )
    folder.mkdir(mode=layout.PRIVATE_FOLDER, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SessionError(f"{folder} is not empty; a session wants a folder of its own: give a new one")
    folder.chmod(layout.PRIVATE_FOLDER)


def _describe(folder: Path, config: Config, packages: Sequence[Path], began: float, file: str) -> None:
    header = layout.SessionHeader(
        began_unix_s=time.time() - (time.monotonic() - began),
        began_monotonic_s=began,
        camera=config.publish.camera,
        file=file,
        glimpse=version(),
        config=msgspec.to_builtins(config),
    )
    (folder / layout.HEADER).write_bytes(msgspec.json.format(msgspec.json.encode(header), indent=2) + b"\n")
    (folder / layout.ENGINES).mkdir()
    for package in packages:
        shutil.copyfile(package / MANIFEST, folder / layout.ENGINES / f"{package.name}.json")
