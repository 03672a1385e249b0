"""A session in one zip file, as the page gives it: unpacked into a private folder, for as long as it is looked at.

Somebody else may have made it. Names are those that a recorder gives and nothing else, nothing but regular
files is made of it, and what would burst a disk or the memory is refused before or while it is read.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from realtime.errors import SessionError
from realtime.session import layout, limits
from realtime.session.read import Session, read
from realtime.session.regular import open_regular

#: Of a session's own files; others, a report and tables among them, are left where they are.
NAMES = re.compile(
    rf"{re.escape(layout.HEADER)}|{layout.MESSAGES}|{layout.JOURNAL}|{layout.PICTURES}|{layout.PICTURES_INDEX}"
    rf"|{layout.ENGINES}/[^/\\\x00]{{1,100}}\.json"
    rf"|{layout.MOMENTS}/\d{{1,12}}(\.json|-(onset|apex|offset|exaggerated)\.jpg|-{layout.STRIP}\.webp)"
)
#: The end of a zip's list of files (APPNOTE.TXT 4.3.16), and what stands before it where that list is a long one.
_END, _LONG = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _LONGEST_COMMENT = 22, 65_535
_PIECE = 1 << 20
HINT = "unpack it yourself, and give the folder"


@contextmanager
def opened(path: Path) -> Iterator[Session]:
    """The session in the folder or the zip file at `path`; SessionError where it holds none that can be read."""
    if path.is_dir() or not path.exists():
        yield read(path)
        return
    with tempfile.TemporaryDirectory(prefix="glimpse-") as private:  # its owner's alone
        try:
            folder = _unpacked(path, Path(private))
        except (OSError, EOFError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error) as error:
            said = f"{type(error).__name__}: {limits.one_line(error)}"
            raise SessionError(f"{path} cannot be unpacked ({said}); wanted the page's own download") from None
        yield read(folder)


def _unpacked(path: Path, into: Path) -> Path:
    """The folder within `into` where the one session in `path` now lies."""
    with open_regular(path.parent, path.name) as file:
        _require_short_list(path, os.fstat(file.fileno()).st_size, file)
        with zipfile.ZipFile(file) as bundle:
            parts = [part for part in bundle.infolist() if NAMES.fullmatch(_within(part.filename))]
            tops = {part.filename.partition("/")[0] for part in parts}
            if len(tops) != 1:
                raise SessionError(f"{path} holds {len(tops)} sessions; wanted one, as the page gives it")
            room = min(limits.MOST_UNPACKED_BYTES, limits.MOST_TIMES_UNPACKED * path.stat().st_size)
            for part in parts:
                room -= _unpack(bundle, part, into / _within(part.filename), room)
    return into


def _within(name: str) -> str:
    """The name inside of the session's folder."""
    return name.partition("/")[2]


def _require_short_list(path: Path, size: int, file: BinaryIO) -> None:
    """Before it is read whole, with a record for each of its lines: what it says of its own length."""
    file.seek(max(size - _END_BYTES - _LONGEST_COMMENT, 0))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise SessionError(f"{path} is no zip file; give a folder that `run --record` wrote, or the page's download")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    if length > limits.MOST_LIST_BYTES or _LONG in tail[max(at - 20, 0) : at]:
        raise SessionError(f"{path} lists more files than a session has; {HINT}")
    file.seek(0)


def _unpack(bundle: zipfile.ZipFile, part: zipfile.ZipInfo, to: Path, room: int) -> int:
    """Bytes that were written, counted as they come: what a zip says of them need not be so."""
    kind = stat.S_IFMT(part.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise SessionError(f"{part.filename} in the zip file is no regular file; who made it?")
    to.parent.mkdir(mode=layout.PRIVATE_FOLDER, exist_ok=True)
    written = 0
    with bundle.open(part) as packed, to.open("xb") as file:
        while piece := packed.read(_PIECE):
            written += len(piece)
            if written > room:
                raise SessionError(f"{part.filename} in the zip file is far larger unpacked than packed; {HINT}")
            file.write(piece)
    return written
