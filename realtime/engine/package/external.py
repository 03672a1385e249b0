"""Whether an ONNX file keeps weights in other files, read without the onnx library.

Of a package no other file is known, and a name in it such as ../../secret would have any file of the user read. A
TensorProto says so by external_data (13) or by data_location (14); tensors are found wherever onnx.proto lets them be.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from realtime.engine.package.protobuf import fields

EXTERNAL_DATA, DATA_LOCATION = 13, 14
#: Messages within messages, deeper than any export of ours.
DEEPEST = 64
#: Messages of onnx.proto by name: which of their fields hold messages, and of which kind.
MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


def keeps_weights_elsewhere(path: Path) -> bool:
    """Whether any tensor of the file does; ValueError for what is no ONNX, or is nested beyond all measure."""
    return _elsewhere(memoryview(path.read_bytes()), "model", 0)


def _elsewhere(message: memoryview, kind: str, depth: int) -> bool:
    if depth > DEEPEST:
        raise ValueError("its messages are nested without end")
    if kind == "tensor":
        return any(number == EXTERNAL_DATA or (number == DATA_LOCATION and value) for number, value in fields(message))
    return any(
        isinstance(value, memoryview) and _elsewhere(value, MESSAGES[kind][number], depth + 1)
        for number, value in fields(message)
        if number in MESSAGES[kind]
    )
