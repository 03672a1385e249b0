"""To and from other programs: one frame `topic NUL msgpack` each, maps with string keys, versioned.

    state/<camera>          State, for every frame: the newest is worth more than all of them
    meta                    Meta, every second: what is running, for those who come late
    event/<camera>/<kind>   Event, numbered: none may be lost
    frame/<camera>          Picture, from a camera elsewhere
    ask, answer             a question to a running Glimpse, and what it says

The types stand in `schema`; whoever has ZeroMQ and msgpack can read them without Glimpse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from realtime import records
from realtime.errors import MessageError
from realtime.schema import TYPES, VERSION
from realtime.schema.asked import (
    Answer,
    Ask,
    AskClock,
    AskEvents,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Clock,
    Done,
    Events,
    MomentPictures,
    Picture,
    Question,
    Refused,
    Shown,
)
from realtime.schema.published import (
    Engine,
    Event,
    FaceQuality,
    FaceState,
    HeadPose,
    Meta,
    Percentiles,
    Published,
    State,
    UnitMoved,
)

__all__ = [
    "Answer", "Ask", "AskClock", "AskEvents", "AskLeave", "AskMoment", "AskNeutral", "AskPicture", "AskWish", "Clock",
    "Done", "Engine", "Event", "Events", "FaceQuality", "FaceState", "HeadPose", "Message", "Meta", "MomentPictures",
    "Percentiles", "Picture", "Published", "Refused", "Shown", "State", "UnitMoved", "decode", "encode", "event_from",
    "face_state", "points", "shortest_event_s", "topic_of",
]  # fmt: skip

Message = Published | Picture | Ask | Answer
Points = tuple[tuple[float, float], ...]

TOPIC = re.compile(r"(state|frame)/[A-Za-z0-9_.-]{1,64}|event/[A-Za-z0-9_.-]{1,64}/(micro|macro)|meta|ask|answer")
#: A state with 30 faces and all their landmarks takes a quarter of this.
LONGEST_BYTES = 1 << 20


class _Header(msgspec.Struct, frozen=True):
    """The one field that every version has."""

    schema: int


def _plain(value: Any) -> Any:
    """Turn numpy's numbers into Python's, since msgpack has no others."""
    if isinstance(value, np.generic):
        return value.item()
    raise MessageError(f"a {type(value).__name__} in a message, which holds numbers, strings, tuples and dicts alone")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {n: msgspec.msgpack.Decoder(t) for n, t in TYPES.items()}


def topic_of(message: Message) -> str:
    """The only topic that `message` may travel under."""
    match message:
        case Event():
            return f"event/{message.camera}/{message.kind}"
        case State():
            return f"state/{message.camera}"
        case Picture():
            return f"frame/{message.camera}"
        case Meta():
            return "meta"
        case Question():
            return "ask"
        case _:
            return "answer"


def encode(topic: str, message: Message) -> bytes:
    """The frame to send; MessageError for another topic than the message's own, or for values that are not plain."""
    _match(topic, message)
    data = topic.encode("ascii") + b"\0" + _ENCODER.encode(message)
    _measure(data)
    return data


def decode(data: bytes) -> tuple[str, Message]:
    """Topic and message of a received frame; MessageError is all that any bytes can raise."""
    _measure(data)
    head, nul, body = data.partition(b"\0")
    topic = head.decode("ascii", "replace")
    if not nul or not TOPIC.fullmatch(topic):
        raise MessageError(
            f"{head[:40]!r} is no Glimpse topic; wanted state/<camera>, event/<camera>/micro, event/<camera>/macro, "
            "meta, frame/<camera>, ask or answer, then a NUL byte: does another program use this port?"
        )
    message = _unpack(topic, body)
    _match(topic, message)
    return topic, message


def _unpack(topic: str, body: bytes) -> Message:
    try:
        message: Message = _DECODERS[topic.partition("/")[0]].decode(body)
        return message
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _check_version(topic, body)
        raise MessageError(f"{topic}: {error}; wanted msgpack as in realtime/schema: look at the sender") from None
    except RecursionError:
        raise MessageError(f"{topic}: maps or lists nested without end; no Glimpse message is deep") from None


def _check_version(topic: str, body: bytes) -> None:
    """Explain a message that cannot be read by its version, where it has one."""
    try:
        version = msgspec.msgpack.decode(body, type=_Header).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if version != VERSION:
        older = min(version, VERSION)
        raise MessageError(f"{topic}: this is version {version}, I read {VERSION}: update the one of version {older}")


def _match(topic: str, message: Message) -> None:
    if topic != topic_of(message) or not TOPIC.fullmatch(topic):
        raise MessageError(
            f"topic {topic!r} on a message of {topic_of(message)!r}; they must be the same, "
            "and a camera's name made of at most 64 letters, digits and _ . - (publish.camera)"
        )


def _measure(data: bytes) -> None:
    if len(data) > LONGEST_BYTES:
        raise MessageError(
            f"a message of {len(data)} bytes; at most {LONGEST_BYTES} are read: send fewer landmarks, smaller pictures"
        )


def face_state(
    face: records.Face, score: float, threshold: float, expression: Mapping[str, float], landmarks: Points | None
) -> FaceState:
    """What the wire says of `face`, whose score opens an event at `threshold`; `landmarks` are its `points` or none."""
    pose, quality = face.pose, face.quality
    return FaceState(
        id=face.id,
        box=(face.box.x, face.box.y, face.box.width, face.box.height),
        landmarks=landmarks,
        pose=HeadPose(yaw=pose.yaw, pitch=pose.pitch, roll=pose.roll),
        quality=FaceQuality(
            size_px=quality.size_px,
            sharpness=quality.sharpness,
            brightness=quality.brightness,
            reasons=quality.reasons,
        ),
        score=score,
        threshold=threshold,
        expression=dict(expression),
    )


def event_from(expression: records.Expression, camera: str, rate_hz: float) -> Event:
    """What the wire says of `expression`, found at a capture rate of `rate_hz`; the publisher numbers it."""
    fields = asdict(expression)
    units = tuple(UnitMoved(**unit) for unit in fields.pop("units"))
    return Event(t=expression.emitted_s, camera=camera, rate_hz=rate_hz, units=units, **fields)


def shortest_event_s(rate_hz: float) -> float | None:
    """Duration of the shortest event that a capture rate can show: 67 ms at 60 Hz; None for an unknown rate, 0."""
    return records.FEWEST_FRAMES / rate_hz if rate_hz > 0 else None


def points(landmarks: records.Floats) -> Points:
    """x, y to 0.1 px: finer than a drawing needs.

    Pairs of numbers, since every language reads them without a word about byte order or layout.
    """
    return tuple(map(tuple, np.round(landmarks[:, :2].astype(np.float64), 1).tolist()))
