"""A picture in a file: its first bytes say which decoder it reaches, and its header how large it will be.

OpenCV has decoders that nobody here needs, and chooses by the same bytes; a name says nothing.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from realtime.capture.colour import rgb
from realtime.capture.recorded.jpeg import jpeg_size
from realtime.errors import SourceError
from realtime.records import Image

Size = tuple[int, int]
WANTED = "wanted JPEG, PNG, BMP, WebP, TIFF or PNM"

_PNG = b"\x89PNG\r\n\x1a\n"
_DAMAGED = "{} cannot be read as a picture, it is damaged; remove it from the folder or replace it"
#: Of a PNG: encoders part what they write into 8 kB or more, and 8K of noise is 100 MB.
_MOST_CHUNKS = 20_000
_PNM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s")


def read_picture(path: Path, largest_px: int) -> Image:
    """RGB uint8 (H, W, 3); SourceError for what is none of ours, damaged, or has a side above `largest_px`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    size = picture_size(data)
    if size is None:
        raise SourceError(f"{path} cannot be read as a picture: {data[:12]!r} is no beginning; {WANTED}")
    require_size(path, size, largest_px)
    if data.startswith(_PNG) and not _whole(data):  # before a decoder sees it, which would say so in its own words
        raise SourceError(_DAMAGED.format(path))
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{path} cannot be read as a picture: {error.err}") from None
    if image is None:
        raise SourceError(_DAMAGED.format(path))
    return rgb(image)


def require_size(path: Path | str, size: Size, largest_px: int) -> None:
    """SourceError where a side is longer than what the stages take: MediaPipe aborts the process at 32,767 px."""
    if not 0 < min(size) <= max(size) <= largest_px:
        raise SourceError(
            f"{path} is {size[0]} x {size[1]} px; wanted sides of at most {largest_px} px (source.largest_px): scale it"
        )


def picture_size(data: bytes) -> Size | None:
    """Width and height as the header says; None for what is no picture of a kind that is read here."""
    for begins, size in _KINDS.items():
        if data.startswith(begins):
            try:
                return size(data)
            except struct.error:  # cut off
                return None
    return None


def _png(data: bytes) -> Size | None:
    """Of a file whose chunks all end within it: OpenCV makes room for what a chunk states, 4 GB for a file of 5 kB.

    (PNG, third edition, 5.3 and 11.2.1)
    """
    at = len(_PNG)
    if data[at : at + 8] != b"\0\0\0\x0dIHDR":
        return None
    for _ in range(_MOST_CHUNKS):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IEND":
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        at += 12 + length
    return None


def _whole(data: bytes) -> bool:
    """Whether what a PNG's pictures are made of is as it was written: chunks without which none can be decoded.

    (PNG, third edition, 5.4: those whose name begins with a large letter; 5.5: CRC over name and data)
    """
    at = len(_PNG)
    while len(head := data[at : at + 8]) == 8:
        length, name = struct.unpack(">I4s", head)
        end = at + 8 + length
        if name[:1].isupper() and data[end : end + 4] != struct.pack(">I", zlib.crc32(data[at + 4 : end])):
            return False
        if name == b"IEND":
            return True
        at = end + 4
    return False


def _bmp(data: bytes) -> Size:
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return abs(width), abs(height)  # a height below 0 counts from the top


def _webp(data: bytes) -> Size | None:
    """The container's three ways to say it (RFC 9649, section 2)."""
    match data[8:16]:
        case b"WEBPVP8X":
            (low, high), (flat, tall) = struct.unpack_from("<HB", data, 24), struct.unpack_from("<HB", data, 27)
            return 1 + low + (high << 16), 1 + flat + (tall << 16)
        case b"WEBPVP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"WEBPVP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(data: bytes) -> Size | None:
    """Tags 256 and 257 of the first directory, which is the one that is decoded (TIFF 6.0, section 2)."""
    order = "<" if data[:1] == b"I" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (tags,) = struct.unpack_from(f"{order}H", data, at)
    found: dict[int, int] = {}
    for place in range(at + 2, at + 2 + 12 * tags, 12):
        tag, kind = struct.unpack_from(f"{order}HH", data, place)
        if kind in (3, 4):
            found.setdefault(tag, struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, place + 8)[0])
    return (found[256], found[257]) if {256, 257} <= found.keys() else None


def _pnm(data: bytes) -> Size | None:
    found = _PNM.match(data)
    return (int(found[1]), int(found[2])) if found else None


_KINDS: dict[bytes | tuple[bytes, ...], Callable[[bytes], Size | None]] = {
    b"\xff\xd8\xff": jpeg_size,
    _PNG: _png,
    b"BM": _bmp,
    b"RIFF": _webp,
    (b"II*\0", b"MM\0*"): _tiff,
    tuple(b"P%d" % number for number in range(1, 7)): _pnm,
}
