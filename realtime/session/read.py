"""Reads a session piece by piece, however long it is, and one that was cut off in the middle up to its last record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from realtime.errors import MessageError, SessionError
from realtime.schema.message import LONGEST_BYTES, MomentPictures, Published, State, decode
from realtime.session import layout

T = TypeVar("T")


class _Format(msgspec.Struct, frozen=True):
    """What every format has."""

    format: int


@dataclass(frozen=True, slots=True)
class Record:
    """A message and when it was published, in seconds since the session began."""

    at_s: float
    message: Published


@dataclass(frozen=True, slots=True)
class Still:
    """Where the picture of a frame lies; `t` is its time on the camera's clock."""

    frame: int
    t: float
    offset: int
    bytes: int


class Session:
    """A session's folder; iterating gives its records in order, anew each time, and holds one at a time."""

    def __init__(self, folder: Path, header: layout.SessionHeader, engines: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.header = header
        self.engines = engines  #: manifest by package name
        self.video = (folder / layout.PICTURES_INDEX).exists()  #: whether pictures were recorded
        self.moments = (folder / layout.MOMENTS).exists()  #: whether pictures of events were kept

    def __iter__(self) -> Iterator[Record]:
        """SessionError, with the place, at bytes that are no message; a record that was cut off ends it."""
        path, place = self.folder / layout.MESSAGES, 0
        with path.open("rb") as file:
            while len(prefix := file.read(layout.PREFIX.size)) == layout.PREFIX.size:
                length, at_s = layout.PREFIX.unpack(prefix)
                frame = file.read(min(length, LONGEST_BYTES + 1))
                if len(frame) < length <= LONGEST_BYTES:
                    return
                yield Record(at_s, _message(frame, path, place))
                place += layout.PREFIX.size + length

    def has_landmarks(self) -> bool:
        """Whether the first face that was seen came with its landmarks."""
        states = (record.message for record in self if isinstance(record.message, State))
        first = next((face for state in states for face in state.faces), None)
        return first is not None and first.landmarks is not None

    def stills(self) -> Iterator[Still]:
        """Where the pictures lie, in order; nothing where no video was recorded."""
        if not self.video:
            return
        written = (self.folder / layout.PICTURES).stat().st_size
        index = self.folder / layout.PICTURES_INDEX
        with index.open(encoding="ascii", errors="replace") as lines:
            next(lines, "")
            for line in lines:
                still = _still(line, index)
                if still is None or still.offset + still.bytes > written:
                    return
                yield still

    def jpeg(self, still: Still) -> bytes:
        """The picture itself."""
        with (self.folder / layout.PICTURES).open("rb") as file:
            file.seek(still.offset)
            return file.read(still.bytes)

    def moment(self, event: int) -> MomentPictures | None:
        """The pictures of an event of `header.camera`; None where none were kept."""
        try:
            times = _json(self.folder / layout.MOMENTS / f"{event}.json", layout.Moment).times
            onset, apex, exaggerated = (
                layout.moment_path(self.folder, event, which).read_bytes() for which in ("onset", "apex", "exaggerated")
            )
        except FileNotFoundError:
            return None
        return MomentPictures(onset=onset, apex=apex, exaggerated=exaggerated, times=times)


def read(folder: Path) -> Session:
    """The session in `folder`; SessionError when it holds none, or one of another format."""
    try:
        header = _header(folder / layout.HEADER)
        manifests = sorted((folder / layout.ENGINES).glob("*.json"))
        engines = {path.stem: _json(path, dict[str, Any]) for path in manifests}
        (folder / layout.MESSAGES).open("rb").close()
    except OSError as error:
        raise SessionError(f"{folder} holds no session that can be read: {error}; `run --record` makes one") from None
    return Session(folder, header, engines)


def _header(path: Path) -> layout.SessionHeader:
    found = _json(path, _Format).format
    if found != layout.FORMAT:
        raise SessionError(f"{path}: format {found}, and I read {layout.FORMAT}; use the Glimpse that recorded it")
    return _json(path, layout.SessionHeader)


def _json(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SessionError(f"{path}: {error}; wanted what realtime/session says: was it changed by hand?") from None


def _message(frame: bytes, path: Path, place: int) -> Published:
    try:
        _, message = decode(frame)
    except MessageError as error:
        raise SessionError(f"{path} is damaged at byte {place}: {error}") from None
    if not isinstance(message, Published):
        raise SessionError(f"{path} is damaged at byte {place}: a {type(message).__name__} is never published")
    return message


def _still(line: str, index: Path) -> Still | None:
    """A line of the index; None for one that was cut off."""
    if not line.endswith("\n"):
        return None
    try:
        frame, t, offset, size = line.split(",")
        return Still(int(frame), float(t), int(offset), int(size))
    except ValueError:
        raise SessionError(f"{index} is damaged at {line!r}; wanted {layout.COLUMNS.rstrip()}") from None
