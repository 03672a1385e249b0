"""Live pictures through OpenCV: a camera of this machine, or a stream of a network. The only door to such captures.

`source` opens recordings, and `camera` keeps what is opened here going.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from realtime.capture import nodes
from realtime.capture.colour import rgb
from realtime.capture.mode import MJPG, Mode, granted, plausible, tell, wanted
from realtime.capture.recorded.picture import require_size
from realtime.capture.url import SCHEMES, masked, scheme
from realtime.config import SourceConfig
from realtime.errors import SourceError
from realtime.records import Image

log = logging.getLogger(__name__)

#: Longest waits for a stream to open and for its next picture, seconds; OpenCV's own are 30.
OPEN_S, READ_S = 10.0, 5.0

_FIRST_PICTURES = 5  # of which one must be whole; a webcam's first JPEG often is not


class _Live:
    """What an open capture does, whatever it is of."""

    _capture: cv2.VideoCapture

    def grab(self) -> bool:
        return self._capture.grab()

    def picture(self) -> Image | None:
        decoded, image = self._capture.retrieve()
        return rgb(image) if decoded else None

    def close(self) -> None:
        self._capture.release()


class CvDevice(_Live):
    """The camera of this number, asked for the configured format, size and rate; SourceError when it does not open.

    One that gives no picture as MJPG is opened again in the format that OpenCV takes of itself, raw if there is one.
    """

    def __init__(self, number: int, config: SourceConfig) -> None:
        asked = wanted(config)
        self._capture = _camera(number, asked)
        if asked.format and not self._shows():
            log.warning("camera %d gives no picture as %s; it is opened again in its own format", number, MJPG)
            self.close()
            asked = Mode("", asked.width, asked.height, asked.rate_hz)
            self._capture = _camera(number, asked)
        given = granted(self._capture.get)
        tell(number, asked, given)
        self.rate_hz = plausible(given.rate_hz, config.rate_hz)

    def _shows(self) -> bool:
        """Whether a picture can be had; those looked at are gone."""
        for _ in range(_FIRST_PICTURES):
            if not self.grab():
                return False  # after a wait of seconds, which is not tried again
            if self.picture() is not None:
                return True
        return False


class CvStream(_Live):
    """The stream at an address, at its own size and rate; SourceError, without passwords, when it does not open."""

    def __init__(self, address: str, config: SourceConfig) -> None:
        name, kind = masked(address), scheme(address)
        if kind not in SCHEMES:
            raise SourceError(f"{name} is no stream that can be opened; wanted one of {', '.join(SCHEMES)}, or a file")
        self._capture = _stream(address)
        if not self._capture.isOpened():
            raise SourceError(
                f"{name} does not open; it must answer within {OPEN_S:g} s. Check the address, user and password, "
                "and whether another program on this machine can play it"
            )
        if kind.startswith("http") and self._capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:  # else it would race through
            self.close()
            raise SourceError(f"{name} is a recording and no live stream; download it, and give the file")
        given = granted(self._capture.get)
        if given.width and given.height:  # as it states
            require_size(name, (given.width, given.height), config.largest_px)
        log.info("stream %s: %s, as it states", name, given)
        self.rate_hz = plausible(given.rate_hz, config.rate_hz)


def _camera(number: int, asked: Mode) -> cv2.VideoCapture:
    with _silent():
        capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise SourceError(
            f"camera {number} does not open; cameras under /dev: {nodes.listed()}. Plug one in, close other programs "
            "that use it, join the group that may read it (video), or give a video or a folder of pictures"
        )
    # In this order because of V4L2: a new format or size puts the driver back to the rate that it begins with, so the
    # rate comes last. Asked before, a raw format would have cut it to 30, and OpenCV asks for what it was given
    # again after each change. The width alone does nothing: it waits for the height.
    if asked.format:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*asked.format))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, asked.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, asked.height)
    capture.set(cv2.CAP_PROP_FPS, asked.rate_hz)
    return capture


def _stream(address: str) -> cv2.VideoCapture:
    # RTSP over TCP if the server has that: packets lost by UDP are torn pictures. OpenCV 4.11 no longer asks for it
    # where this says nothing (its issue 27091); it is read at each opening.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_flags;prefer_tcp")
    options = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: round(OPEN_S * 1e3),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: round(READ_S * 1e3),
        cv2.CAP_PROP_N_THREADS: 1,  # each further one holds a picture back
    }
    with _silent():
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, [part for option in options.items() for part in option])


@contextmanager
def _silent() -> Iterator[None]:
    """What OpenCV and ffmpeg print of their own says less than our errors, at every attempt, and shows passwords."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read at each opening
    level = cv2.setLogLevel(0)
    try:
        yield
    finally:
        cv2.setLogLevel(level)
