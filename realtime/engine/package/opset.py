"""The version of ONNX's operators that a file is written in, read without the onnx library.

A file is a protobuf message `ModelProto`, whose field 8 holds, once for each domain, an
`OperatorSetIdProto` of domain (1) and version (2): onnx.proto. ONNX's own domain has no name.
"""

from __future__ import annotations

from pathlib import Path

from realtime.engine.package.protobuf import fields

OPERATOR_SETS, DOMAIN, VERSION = 8, 1, 2


def opset_of(path: Path) -> int | None:
    """Version of ONNX's own operators; None for a file that is no ONNX."""
    try:
        for number, value in fields(memoryview(path.read_bytes())):
            if number == OPERATOR_SETS and isinstance(value, memoryview):
                found = dict(fields(value))
                if found.get(DOMAIN, b"") in (b"", b"ai.onnx"):
                    version = found.get(VERSION)
                    return version if isinstance(version, int) else None
    except ValueError:
        pass
    return None
