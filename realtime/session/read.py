"""Reads a session piece by piece, however long it is, and one that was cut off in the middle up to its last record."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from realtime.errors import MessageError, SessionError
from realtime.pipeline.loop import Loop
from realtime.schema.message import LONGEST_BYTES, Event, MomentPictures, Published, State, decode
from realtime.session import layout, limits
from realtime.session.regular import has_regular, open_regular, read_regular, require_folder

T = TypeVar("T")
#: As the configuration wants it, `publish.camera`.
CAMERA = re.compile(r"[A-Za-z0-9_.-]{1,64}")


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
        #: whether pictures were recorded
        self.video = has_regular(folder, layout.PICTURES) & has_regular(folder, layout.PICTURES_INDEX)
        self.moments = require_folder(folder / layout.MOMENTS)  #: whether pictures of events were kept

    def __iter__(self) -> Iterator[Record]:
        """SessionError, with the place, at bytes that are no message; a record that was cut off ends it."""
        return self._records(layout.MESSAGES, limits.MOST_MESSAGES_BYTES)

    def journal(self) -> Iterator[Record]:
        """The events alone, as iterating gives them; none where no event came, or an older Glimpse recorded it."""
        if has_regular(self.folder, layout.JOURNAL):
            yield from self._records(layout.JOURNAL, limits.MOST_JOURNAL_BYTES)

    def _records(self, name: str, most_bytes: int) -> Iterator[Record]:
        path, place = self.folder / name, 0
        cameras: set[str] = set()
        with open_regular(self.folder, name, most_bytes) as file:
            while len(prefix := file.read(layout.PREFIX.size)) == layout.PREFIX.size:
                length, at_s = layout.PREFIX.unpack(prefix)
                frame = file.read(min(length, LONGEST_BYTES + 1))
                if len(frame) < length <= LONGEST_BYTES:
                    return
                record = _checked(Record(at_s, _message(frame, path, place)), path, place)
                cameras.add(record.message.camera)
                limits.check_count(cameras, limits.MOST_CAMERAS, "cameras")
                yield record
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
        written = (self.folder / layout.PICTURES).lstat().st_size
        index = self.folder / layout.PICTURES_INDEX
        with open_regular(self.folder, layout.PICTURES_INDEX, limits.MOST_INDEX_BYTES) as file:
            lines = io.TextIOWrapper(file, encoding="ascii", errors="replace")
            lines.readline(limits.MOST_LINE)
            while line := lines.readline(limits.MOST_LINE):
                still = _still(line, index)
                if still is None or still.offset + still.bytes > written:
                    return
                yield still

    def jpeg(self, still: Still) -> bytes:
        """The picture itself."""
        with open_regular(self.folder, layout.PICTURES) as file:
            file.seek(still.offset)
            return file.read(still.bytes)

    def moment(self, event: int) -> MomentPictures | None:
        """The pictures of an event of `header.camera`; None where none were kept."""
        name = _moment_json(event)
        try:
            times = self._moment(event).times
            onset, apex, exaggerated = (
                read_regular(self.folder, layout.moment_name(event, which), limits.MOST_PICTURE_BYTES)
                for which in ("onset", "apex", "exaggerated")
            )
        except FileNotFoundError:
            return None
        if not limits.plausible(times):
            raise SessionError(f"{self.folder / name} says {times:g} times, which no picture is exaggerated")
        return MomentPictures(onset=onset, apex=apex, exaggerated=exaggerated, times=times)

    def loop(self, event: int) -> Loop | None:
        """The frames of an event of `header.camera`; None where they were not kept."""
        try:
            said = self._moment(event)
            if not said.frames_s:
                return None
            strip, offset = (
                read_regular(self.folder, layout.moment_name(event, which), limits.MOST_PICTURE_BYTES)
                for which in (layout.STRIP, "offset")
            )
        except FileNotFoundError:
            return None
        if not _possible_strip(said):
            raise SessionError(f"{self.folder / _moment_json(event)} says what no strip of pictures has: who made it?")
        return Loop(
            times=said.frames_s,
            side_px=said.side_px,
            enlarged=said.enlarged,
            strip=strip,
            offset=offset,
            units=said.units,
        )

    def _moment(self, event: int) -> layout.Moment:
        return _json(self.folder, _moment_json(event), layout.Moment, limits.MOST_MOMENT_BYTES)


def read(folder: Path) -> Session:
    """The session in `folder`; SessionError when it holds none, or one of another format, or one made to do harm."""
    try:
        header = _header(folder)
        engines = {name: _manifest(folder, name) for name in _engine_names(folder)}
        open_regular(folder, layout.MESSAGES, limits.MOST_MESSAGES_BYTES).close()
        return Session(folder, header, engines)
    except OSError as error:
        raise SessionError(f"{folder} holds no session that can be read: {error}; `run --record` makes one") from None


def _header(folder: Path) -> layout.SessionHeader:
    path = folder / layout.HEADER
    found = _json(folder, layout.HEADER, _Format, limits.MOST_HEADER_BYTES).format
    if found != layout.FORMAT:
        raise SessionError(f"{path}: format {found}, and I read {layout.FORMAT}; use the Glimpse that recorded it")
    header = _json(folder, layout.HEADER, layout.SessionHeader, limits.MOST_HEADER_BYTES)
    if not CAMERA.fullmatch(header.camera):
        raise SessionError(f"{path}: {header.camera[:40]!r} is no camera's name; wanted letters, digits and _ . -")
    if not limits.EPOCH_S <= header.began_unix_s <= limits.LAST_DATE_S:
        raise SessionError(
            f"{path}: began_unix_s is {header.began_unix_s:g}, which is no date; was it changed by hand?"
        )
    if not limits.plausible(header.file):
        raise SessionError(f"{path}: a file's name of {len(header.file)} letters; was it changed by hand?")
    _check_depth(header.config, path)
    return header


def _engine_names(folder: Path) -> list[str]:
    """Those of which a manifest lies there, in order."""
    within = folder / layout.ENGINES
    if not require_folder(within):
        return []
    with os.scandir(within) as entries:
        found = {entry.name for entry in islice(entries, limits.MOST_ENGINES + 1)}
    limits.check_count(found, limits.MOST_ENGINES, "engines")
    if unread := [name for name in found if not name.isprintable()]:
        raise SessionError(f"{str(within)!r} holds {unread[0]!r}, which is no engine's name; remove it")
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


def _manifest(folder: Path, name: str) -> dict[str, Any]:
    within = f"{layout.ENGINES}/{name}.json"
    _json(folder, within, layout.EngineSaid, limits.MOST_MANIFEST_BYTES)  # what is shown of it has the types it needs
    manifest = _json(folder, within, dict[str, Any], limits.MOST_MANIFEST_BYTES)
    _check_depth(manifest, folder / within)
    return manifest


def _check_depth(value: dict[str, Any], path: Path) -> None:
    if not limits.shallow(value):
        raise SessionError(f"{path}: more than {limits.MOST_DEPTH} levels; no configuration or manifest is that deep")


def _json(folder: Path, name: str, kind: type[T], most_bytes: int) -> T:
    try:
        return msgspec.json.decode(read_regular(folder, name, most_bytes), type=kind)
    except RecursionError:
        raise SessionError(f"{folder / name}: nested without end; no file of a session is deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        wanted = "wanted what realtime/session says: was it changed by hand?"
        raise SessionError(f"{folder / name}: {limits.one_line(error)}; {wanted}") from None


def _checked(record: Record, path: Path, place: int) -> Record:
    """`record`, whose numbers and times a recording can have."""
    message = record.message
    times = [record.at_s, message.t]
    if isinstance(message, Event):
        times += [t for t in (message.onset_s, message.apex_s, message.offset_s, message.emitted_s) if t is not None]
    if not limits.timely(*times):
        raise SessionError(
            f"{path} is damaged at byte {place}: a time of {max(times, key=abs):g} s; no recording has it"
        )
    if not limits.plausible(message):
        raise SessionError(f"{path} is damaged at byte {place}: a number or a text that no recording has")
    if not CAMERA.fullmatch(message.camera):
        raise SessionError(f"{path} is damaged at byte {place}: {message.camera[:40]!r} is no camera's name")
    return record


def _message(frame: bytes, path: Path, place: int) -> Published:
    try:
        _, message = decode(frame)
    except MessageError as error:
        raise SessionError(f"{path} is damaged at byte {place}: {limits.one_line(error)}") from None
    if not isinstance(message, Published):
        raise SessionError(f"{path} is damaged at byte {place}: a {type(message).__name__} is never published")
    return message


def _still(line: str, index: Path) -> Still | None:
    """A line of the index; None for one that was cut off."""
    if not line.endswith("\n") and len(line) < limits.MOST_LINE:
        return None
    try:
        frame, t, offset, size = line.split(",")
        still = Still(int(frame), float(t), int(offset), int(size))
    except ValueError:
        still = None
    if still is None or not _possible(still):
        raise SessionError(f"{index} is damaged at {line!r}; wanted {layout.COLUMNS.rstrip()}")
    return still


def _moment_json(event: int) -> str:
    return f"{layout.MOMENTS}/{event}.json"


def _possible_strip(said: layout.Moment) -> bool:
    """Whether a recorder may have written it."""
    fits = len(said.frames_s) <= limits.MOST_FRAMES and 0 < said.side_px <= limits.MOST_SIDE_PX
    units = len(said.units) <= limits.MOST_UNITS and all(len(c) == len(said.frames_s) for c in said.units.values())
    return fits and units and limits.timely(*said.frames_s) and limits.plausible((said.enlarged, said.units))


def _possible(still: Still) -> bool:
    """Whether a recorder may have written it."""
    counts = (still.frame, still.offset, still.bytes)
    fits = min(counts) >= 0 and still.bytes <= limits.MOST_PICTURE_BYTES
    return fits and limits.plausible(counts) and limits.timely(still.t)
