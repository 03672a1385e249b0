"""The files of a session's folder by name, and what stands in them byte by byte."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

FORMAT = 1
HEADER, MESSAGES, ENGINES, MOMENTS = "session.json", "messages.bin", "engines", "moments"
JOURNAL = "events.bin"
STRIP = "strip"
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
    file: str = ""  #: what was played, by its name, where it was no camera
    glimpse: str
    config: dict[str, Any]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What moments/<event>.json says; all but `times` of the strip of its frames, if there is one."""

    times: float
    frames_s: tuple[float, ...] = ()
    side_px: int = 0
    enlarged: float = 1.0
    units: dict[str, tuple[float, ...]] = {}


class TrainingSaid(msgspec.Struct, frozen=True):
    """What is shown of an engine's training."""

    data: tuple[str, ...] = ()
    terms: str = ""


class ScoreSaid(msgspec.Struct, frozen=True):
    """What is shown of a score."""

    name: str
    value: float
    protocol: str


class EngineSaid(msgspec.Struct, frozen=True):
    """What is shown of engines/<name>.json, which a later Glimpse may have written."""

    task: str = ""
    training: TrainingSaid = TrainingSaid()
    scores: tuple[ScoreSaid, ...] = ()


def moment_name(event: int, which: str) -> str:
    """What the picture `which` of an event is called: "onset", "apex", "offset", "exaggerated", or its "strip"."""
    return f"{MOMENTS}/{event}-{which}.{'webp' if which == STRIP else 'jpg'}"
