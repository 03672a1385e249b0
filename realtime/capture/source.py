"""Camera, stream, video or folder of pictures -> Frames. The only door to recordings; colour is RGB from here on.

A recording keeps the times that it was made with, and is played at its own pace or as fast as it
is read. Live captures are opened in `device`, and kept going in `camera`.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import cv2

from realtime.capture import nodes
from realtime.capture.camera import Camera
from realtime.capture.colour import rgb
from realtime.capture.device import CvDevice, CvStream
from realtime.capture.mode import plausible
from realtime.capture.picture import read_picture, require_size
from realtime.capture.url import is_address, masked
from realtime.config import SourceConfig
from realtime.errors import SourceError
from realtime.records import Frame, Image

log = logging.getLogger(__name__)

#: Frames in a row: a file that is decoded more slowly than it plays would otherwise show none.
MOST_LEFT_OUT = 30

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

#: A network brings pictures in bursts: one that is late by less was on its way, and none were lost before it.
BURST_S = 0.5


class Source(Protocol):
    """Where frames come from. `frames` is asked for once; it ends after `close`, which any thread may call."""

    rate_hz: float  #: frames a second, as the source states it; the truth is in `Frame.t`
    live: bool  #: frames come at their own pace and wait for nobody: a camera's, and a recording's unless it plays fast

    @property
    def dropped(self) -> int:
        """Frames that it had but nobody took in time: a part of the gaps. A recording that plays fast has none."""

    def frames(self) -> Iterator[Frame]:
        """The frames as they are made; a camera's go on until it is closed."""

    def close(self) -> None:
        """Free the device or file; a second call does nothing."""


def open_source(spec: str, config: SourceConfig, *, fast: bool, cameras: Path = nodes.CAMERAS) -> Source:
    """An address such as "rtsp://host/path" is a stream; a folder, picture or video is played, `fast` without waiting.

    A camera is "0", "/dev/video0", a link to it, or a part of its name in the folder `cameras` that no file has;
    a folder called "0" is reached as "./0". SourceError when it gives no frame, and it shows no password.
    """
    if is_address(spec):
        return Camera(masked(spec), config, lambda: CvStream(spec, config), burst_s=BURST_S)
    path = Path(spec).expanduser()
    if nodes.numbered(spec) is None and path.exists():
        return _recording(path, config, fast=fast)
    # Looked for each time that it is opened: plugged in again, it may have another number.
    return Camera(spec, config, lambda: CvDevice(nodes.find(spec, cameras), config))


def _recording(path: Path, config: SourceConfig, *, fast: bool) -> Source:
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return ImageFolder(path, config, fast=fast)
    return VideoFile(path, config, fast=fast)


class MediaClock:
    """Positions in a file, as ffmpeg reports them -> seconds that start at 0 and strictly increase.

    A position may lie before 0 (edit lists), repeat or turn back (joined files), be 0 throughout (raw
    streams), or be an absurd number that stands for "none". A frame without a usable position
    comes one interval after the frame before.
    """

    _LONGEST_S = 1e6

    def __init__(self, rate_hz: float) -> None:
        self._interval = 1.0 / rate_hz
        self._t = -self._interval
        self._start: float | None = None

    def time(self, position_s: float) -> float:
        """The time of the next frame."""
        t = expected = self._t + self._interval
        if abs(position_s) < self._LONGEST_S:
            if self._start is None:
                self._start = position_s - expected
            t = position_s - self._start
        self._t = t if t > self._t else expected
        return self._t


class _Playback:
    """Releases recorded pictures at once, or when they are due.

    Then one that comes late counts as grabbed when it was due, and too late it is left out, as a camera's would be.
    """

    def __init__(self, name: Path, config: SourceConfig, *, fast: bool) -> None:
        self._name, self._late_s = name, config.late_s
        self.live = not fast
        self.dropped = 0
        self.closed = threading.Event()
        self._size: tuple[int, ...] = ()
        self._warned = False

    def frames(self, pictures: Iterable[tuple[float, Image]]) -> Iterator[Frame]:
        start: float | None = None
        gap = 0
        for index, (t, image) in enumerate(pictures):
            start = time.monotonic() - t if start is None else start
            if self.live:
                self.closed.wait(max(start + t - time.monotonic(), 0.0))
            if self.closed.is_set():
                return
            self._warn(image)
            now = time.monotonic()
            if self.live and 0.0 < self._late_s < now - start - t and gap < MOST_LEFT_OUT:
                gap, self.dropped = gap + 1, self.dropped + 1
                continue
            yield Frame(image, t, index, gap, grabbed=start + t if self.live else now)
            gap = 0

    def _warn(self, image: Image) -> None:
        """Once, of a size that changes."""
        self._size = self._size or image.shape
        if image.shape != self._size and not self._warned:
            self._warned = True
            log.warning("%s: the pictures' size changes from %s to %s", self._name, self._size[:2], image.shape[:2])


class VideoFile:
    """A recorded clip at the media time of each frame, so that a variable rate stays one.

    OpenCV scales frames that change their size inside a file to the size of the first.
    """

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._path = path
        self._playback = _Playback(path, config, fast=fast)
        self.live = self._playback.live
        self._lock = threading.Lock()  # `close` must not free a capture while another thread reads from it
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise SourceError(f"{path} cannot be decoded; wanted a video such as mp4, mov, avi, webm or gif")
        sides = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if any(sides):  # where the container says
            require_size(path, sides, config.largest_px)
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.rate_hz = plausible(self._capture.get(cv2.CAP_PROP_FPS), config.rate_hz)
        first = self._read()  # here, so that a file without frames fails where it is opened
        if first is None:
            self.close()
            raise SourceError(f"{path} has no frame that can be decoded; record it again, or give another file")
        self._first = first

    @property
    def dropped(self) -> int:
        return self._playback.dropped

    def frames(self) -> Iterator[Frame]:
        return self._playback.frames(self._timed())

    def close(self) -> None:
        self._playback.closed.set()
        with self._lock:
            self._capture.release()

    def _timed(self) -> Iterator[tuple[float, Image]]:
        clock, t, count = MediaClock(self.rate_hz), 0.0, 0
        for position, image in itertools.chain([self._first], iter(self._read, None)):
            t, count = clock.time(position), count + 1
            yield t, image
        if count < self._announced and not self._playback.closed.is_set():
            log.warning(
                "%s: %d of %d announced frames could be decoded; it may be cut off after %.2f s",
                self._path, count, self._announced, t,
            )  # fmt: skip

    def _read(self) -> tuple[float, Image] | None:
        """Position in seconds and picture of the next frame; None at the end."""
        with self._lock:
            if not self._capture.grab():
                return None
            # After the grab it is the position of the frame just grabbed; before, that of the frame before.
            position = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            decoded, image = self._capture.retrieve()
        return (position, rgb(image)) if decoded else None


class ImageFolder:
    """Pictures at the configured rate, ordered by name with numbers by value (img2 before img10); or one picture."""

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._paths = (
            sorted(filter(_is_picture, path.iterdir()), key=lambda picture: _natural(picture.name))
            if path.is_dir()
            else [path]
        )
        if not self._paths:
            raise SourceError(f"{path} holds no pictures; wanted files that end in {', '.join(PICTURES)}")
        self._playback = _Playback(path, config, fast=fast)
        self.live = self._playback.live
        self.rate_hz = config.rate_hz
        self._largest_px = config.largest_px

    @property
    def dropped(self) -> int:
        return self._playback.dropped

    def frames(self) -> Iterator[Frame]:
        pictures = (read_picture(path, self._largest_px) for path in self._paths)
        return self._playback.frames((index / self.rate_hz, picture) for index, picture in enumerate(pictures))

    def close(self) -> None:
        self._playback.closed.set()


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorting key that puts "img2" before "img10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]
