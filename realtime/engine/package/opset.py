"""The version of ONNX's operators that a file is written in, read without the onnx library.

A file is a protobuf message `ModelProto`, whose field 8 holds, once for each domain, an
`OperatorSetIdProto` of domain (1) and version (2): onnx.proto. ONNX's own domain has no name.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

OPERATOR_SETS, DOMAIN, VERSION = 8, 1, 2
LONGEST_BYTES = 1 << 10  # of a field that is read: the graph, which may be large, is skipped
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  #: protobuf's wire types


def opset_of(path: Path) -> int | None:
    """Version of ONNX's own operators; None for a file that is no ONNX."""
    try:
        with path.open("rb") as file:
            for number, value in _fields(file):
                if number == OPERATOR_SETS and isinstance(value, bytes):
                    fields = dict(_fields(BytesIO(value)))
                    if fields.get(DOMAIN, b"") in (b"", b"ai.onnx"):
                        version = fields.get(VERSION)
                        return version if isinstance(version, int) else None
    except ValueError:
        pass
    return None


def _fields(file: BinaryIO) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of the fields of a message, but of long ones; ValueError if it is none."""
    while (tag := _varint(file)) is not None:
        wire = tag & 7
        if wire == VARINT:
            yield tag >> 3, _need(_varint(file))
        elif wire == BYTES:
            size = _need(_varint(file))
            if size > LONGEST_BYTES:
                file.seek(size, 1)
            else:
                yield tag >> 3, file.read(size)
        elif wire in (FIXED64, FIXED32):
            file.seek(8 if wire == FIXED64 else 4, 1)
        else:
            raise ValueError(f"wire type {wire}")


def _varint(file: BinaryIO) -> int | None:
    """The next number, seven bits a byte, the lowest first; None at the end of the file."""
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number without end")


def _need(value: int | None) -> int:
    if value is None:
        raise ValueError("the file ends within a field")
    return value
