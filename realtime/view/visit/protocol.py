"""What a browser and the page say to each other over `/live`: JSON, and pictures behind a short header."""

from __future__ import annotations

import base64
import struct
from typing import Annotated, Any, Literal

import msgspec

from realtime.errors import MessageError
from realtime.schema.message import Event, Meta, MomentPictures, Published, State

#: Number of the picture, capture time in seconds on the camera's own clock; then JPEG.
HEADER = struct.Struct("<Id")
JPEG_BEGINS = b"\xff\xd8"
#: Longer than anything that a page of ours says.
LONGEST_TEXT = 4096
#: Seconds, thirty years: no browser is open for longer.
LATEST_S = 1e9
BROWSER = "browser"  #: the name by which a visitor calls the own camera

#: Why something from a browser is dropped.
Dropped = Literal["too-fast", "too-large", "malformed"]
#: What became of a picture from a browser: passed on, or why not.
Fate = Literal["passed", "nobody", "unasked", Dropped]
Problem = Literal["recogniser-gone", "refused", "full", Dropped]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="do"):
    """Base of what a browser may say."""


class Hello(_Message, frozen=True, kw_only=True, tag="hello"):
    """First, and whenever a choice changes: which camera is watched, and how; an empty `head` leaves the engine."""

    camera: str = BROWSER
    landmarks: bool = False
    pictures: bool = False
    head: str = ""


class NeutralRequest(_Message, frozen=True, kw_only=True, tag="neutral"):
    """My face is neutral for the next seconds."""


class RecordRequest(_Message, frozen=True, kw_only=True, tag="record"):
    """Begin or end a recording; `video` keeps the pictures too."""

    on: bool
    video: bool = False


class MomentRequest(_Message, frozen=True, kw_only=True, tag="moment"):
    """Show the pictures of this event."""

    event: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]  # as JavaScript counts


class Leave(_Message, frozen=True, kw_only=True, tag="leave"):
    """Stop: no more pictures come."""


BrowserMessage = Hello | NeutralRequest | RecordRequest | MomentRequest | Leave
_DECODER: msgspec.json.Decoder[BrowserMessage] = msgspec.json.Decoder(BrowserMessage)
_KINDS: dict[type, str] = {State: "state", Event: "event", Meta: "meta"}


def decode_text(text: str) -> BrowserMessage:
    """What a browser said; MessageError is all that any text can raise."""
    if len(text) > LONGEST_TEXT:
        raise MessageError(f"a text of {len(text)} characters; at most {LONGEST_TEXT} are read: reload the page")
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MessageError(f"{text[:60]!r} is nothing that this page understands: {error}; reload the page") from None


def decode_picture(data: bytes) -> tuple[int, float, bytes]:
    """Number, capture time and JPEG of a picture from a browser; MessageError for anything else."""
    jpeg = data[HEADER.size :]
    if not jpeg.startswith(JPEG_BEGINS):
        raise MessageError(
            f"{len(data)} bytes that are no picture; wanted uint32 number, float64 time, little-endian, then a JPEG"
        )
    number, t = HEADER.unpack_from(data)
    if not 0.0 <= t <= LATEST_S:
        raise MessageError(f"a picture taken at {t}; wanted seconds since the page was opened")
    return number, t, jpeg


def encode_picture(frame: int, t: float, jpeg: bytes) -> bytes:
    """A picture for a browser."""
    return HEADER.pack(frame & 0xFFFFFFFF, t) + jpeg


def encode(kind: str, **rest: Any) -> str:
    """A message for a browser."""
    return msgspec.json.encode({"kind": kind, **rest}).decode()


def encode_published(message: Published) -> str:
    """A message of the recogniser for a browser, under its own name: an Event has a `kind` of its own."""
    kind = _KINDS[type(message)]
    return f'{{"kind":"{kind}","{kind}":{msgspec.json.encode(message).decode()}}}'


def encode_problem(what: Problem, text: str) -> str:
    """What went wrong: what was found, what was wanted, what to do."""
    return encode("problem", what=what, text=text)


def encode_moment(event: int, pictures: MomentPictures) -> str:
    """Onset and apex of an event."""
    shown = {name: base64.b64encode(getattr(pictures, name)).decode() for name in ("onset", "apex", "exaggerated")}
    return encode("moment", event=event, **shown, times=pictures.times)
