"""The fields of a protobuf message, read without a library and without its types (protobuf.dev, "Encoding")."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  #: wire types; groups, which nobody writes any more, are none


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each; those of a fixed width are left out. ValueError if it is no message."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield tag >> 3, value
        elif wire == BYTES:
            size, place = _varint(data, place)
            yield tag >> 3, data[place : place + size]
            place += size
        elif wire in (FIXED64, FIXED32):
            place += 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
    if place > len(data):
        raise ValueError("the message ends within a field")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number at `place`, seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("the message ends within a field")
        value |= (data[place] & 0x7F) << shift
        place += 1
        if data[place - 1] < 0x80:
            return value, place
    raise ValueError("a number without end")
