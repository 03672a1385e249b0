"""The files of a session's folder by name, and what stands in them byte by byte."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

FORMAT = 1
HEADER, MESSAGES, ENGINES, MOMENTS = "session.json", "messages.bin", "engines", "moments"
PICTURES, PICTURES_INDEX = "pictures.mjpeg", "pictures.csv"
COLUMNS = "frame,t_s,offset,bytes\n"  # first line of the index of pictures
#: Before each message: its length in bytes, and when it was published.
PREFIX = struct.Struct("<Id")
#: Faces are personal data: the owner's alone.
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class SessionHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What session.json says; the configuration is kept as plain tables, since a later Glimpse may know other keys."""

    format: int = FORMAT
    began_unix_s: float
    began_monotonic_s: float
    camera: str
    glimpse: str
    config: dict[str, Any]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What moments/<event>.json says."""

    times: float


def create_private(path: Path) -> BinaryIO:
    """A new file in place of what is there, which its owner alone may read."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")


def moment_path(folder: Path, event: int, which: str) -> Path:
    """Where the picture `which` of an event lies: "onset", "apex" or "exaggerated"."""
    return folder / MOMENTS / f"{event}-{which}.jpg"
