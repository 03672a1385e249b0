"""What a JPEG says of itself before it is decoded: how large it will be, and how long that may take."""

from __future__ import annotations

import numpy as np

#: Markers of a JPEG (ITU T.81, table B.1). Height and width stand in a frame header: baseline, extended or progressive,
#: which is what cameras and browsers make. Before it come segments that say how long they are; what else comes there
#: would be read by one decoder so and by another otherwise, and is refused.
_FRAME_HEADERS = range(0xC0, 0xC3)
_SEGMENTS = frozenset({0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height as the header says, without decoding; None where it is no JPEG. (ITU T.81, B.2.2)"""
    at = 2
    if jpeg[:2] != b"\xff\xd8":
        return None
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if jpeg[at + 1] in _FRAME_HEADERS:
            return int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        if jpeg[at + 1] not in _SEGMENTS:
            return None
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return None


def most_scans(jpeg: bytes) -> int:
    """No more scans than this are in a JPEG: their markers, wherever they stand. (ITU T.81, B.2.3)"""
    data = np.frombuffer(jpeg, np.uint8)
    return int(np.count_nonzero((data[:-1] == 0xFF) & (data[1:] == 0xDA)))
