"""A camera elsewhere, such as a browser's: pictures that come by message, as a Source."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterator

import cv2
import numpy as np

from realtime.capture.colour import rgb
from realtime.capture.recorded.jpeg import jpeg_size, most_scans
from realtime.capture.remote_clock import CameraClock
from realtime.config import StreamsConfig
from realtime.errors import SourceError
from realtime.records import Frame, Image
from realtime.schema.message import Picture

log = logging.getLogger(__name__)

#: A camera that is asked for 60 pictures a second loses fewer than this in an hour: a larger gap is a number made up.
_MOST_LOST = 250_000


class Remote:
    """Source of the pictures that are pushed; it ends once none has come for `silent_s`, or when it is closed.

    `Frame.index` is the number that the camera gave the picture, so that the sender knows its own again, and
    `Frame.t` counts from the first picture on the camera's own clock, as far as that can be believed. The newest
    `queue_frames` wait; what was lost on the way here, or had to make room, or is no picture, is counted in the next
    frame's `gap`.
    """

    rate_hz = 0.0  # nobody states it; the truth is in `Frame.t`
    live = True

    def __init__(self, name: str, config: StreamsConfig) -> None:
        self._name, self._config = name, config
        self._waiting: deque[tuple[Picture, float]] = deque(maxlen=config.queue_frames)
        self._arrived = threading.Condition()
        self._closed = False
        self.dropped = 0

    def push(self, picture: Picture) -> None:
        """Take the newest picture, from any thread."""
        with self._arrived:
            self.dropped += len(self._waiting) == self._config.queue_frames
            self._waiting.append((picture, time.monotonic()))
            self._arrived.notify()

    def close(self) -> None:
        with self._arrived:
            self._closed = True
            self._arrived.notify()

    def frames(self) -> Iterator[Frame]:
        clock = CameraClock(self._name, self._config.leap_s)
        last: Frame | None = None
        good = math.inf  # when a picture last came that is one
        while (item := self._next()) is not None:
            picture, grabbed = item
            image = self._image(picture)
            good = grabbed if image is not None else min(good, grabbed)
            if grabbed - good > self._config.silent_s:
                raise SourceError(
                    f"no picture of camera {self._name} could be decoded for {self._config.silent_s:g} s; it makes room"
                )
            t = None if image is None else clock.time(picture.t, grabbed)
            if image is not None and t is not None:
                last = Frame(image, t, picture.number, _lost(last, picture.number), grabbed)
                yield last

    def _next(self) -> tuple[Picture, float] | None:
        """The oldest picture that waits; None when it is over."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._closed, self._config.silent_s)
            return self._waiting.popleft() if self._waiting and not self._closed else None

    def _image(self, picture: Picture) -> Image | None:
        try:
            return decoded(picture.jpeg, self._config)
        except SourceError as error:
            log.warning("camera %s: picture %d left out: %s", self._name, picture.number, error)
            return None


def decoded(jpeg: bytes, config: StreamsConfig) -> Image:
    """RGB uint8 (H, W, 3) of a JPEG; SourceError where it is none, or more than is allowed, which is seen first."""
    require_picture(jpeg, config)
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"a JPEG that cannot be decoded: {error.err}") from None
    if image is None:
        raise SourceError("a JPEG that is damaged")
    return rgb(image)


def require_picture(jpeg: bytes, config: StreamsConfig) -> None:
    """SourceError unless it begins as a JPEG that is within the limits: of bytes, sides and scans."""
    if len(jpeg) > 1000 * config.longest_kb:
        raise SourceError(f"{len(jpeg)} bytes, at most {config.longest_kb} kB are taken: send smaller pictures")
    size = jpeg_size(jpeg)
    if size is None or max(size) > config.largest_px or min(size) < 1:
        found = "no JPEG" if size is None else f"{size[0]} x {size[1]} px"
        raise SourceError(f"{found}, wanted a JPEG with sides of at most {config.largest_px} px")
    if (scans := most_scans(jpeg)) > config.most_scans:
        raise SourceError(
            f"a JPEG of {scans} scans, at most {config.most_scans} are decoded, since each takes as long as a picture: "
            "send baseline JPEG, as a canvas makes it"
        )


def _lost(last: Frame | None, number: int) -> int:
    """Pictures between the last one and this; a camera that is chosen anew counts from 0 again and lost none."""
    return min(max(number - last.index - 1, 0), _MOST_LOST) if last else 0
