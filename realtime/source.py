"""Camera, video or folder of pictures -> Frames. The only door to cv2.VideoCapture; colour is RGB from here on.

A recording keeps the times that it was made with, and is played at its own pace or as fast as it
is read. What a live camera needs beyond its device stands in `camera`.
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
import numpy as np
from cv2.typing import MatLike

from realtime.camera import Camera
from realtime.config import SourceConfig
from realtime.errors import SourceError
from realtime.records import Frame, Image

log = logging.getLogger(__name__)

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}


class Source(Protocol):
    """Where frames come from. `frames` is asked for once; it ends after `close`, which any thread may call."""

    rate_hz: float  #: frames a second, as the source states it; the truth is in `Frame.t`

    @property
    def dropped(self) -> int:
        """Frames that it had but nobody took in time: a part of the gaps. A recording waits, and has none."""

    def frames(self) -> Iterator[Frame]:
        """The frames as they are made; a camera's go on until it is closed."""

    def close(self) -> None:
        """Free the device or file; a second call does nothing."""


def open_source(spec: str, config: SourceConfig, *, fast: bool) -> Source:
    """ "0" or "/dev/video0" is a camera, else a folder, picture or video; `fast` plays without waiting.

    SourceError when it gives no frame. A folder called "0" is reached as "./0".
    """
    if camera := re.fullmatch(r"(?:/dev/video)?([0-9]+)", spec):
        return Camera(camera[1], config, lambda: CvDevice(int(camera[1]), config))
    path = Path(spec).expanduser()
    if not path.exists():
        raise SourceError(
            f"no such file or folder: {path.absolute()}; wanted a camera's number such as 0, a video, or pictures"
        )
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return ImageFolder(path, config, fast=fast)
    return VideoFile(path, config, fast=fast)


def rgb(image: MatLike) -> Image:
    """OpenCV's grey (H, W) or (H, W, 1), BGR or BGRA, uint8 -> RGB uint8 (H, W, 3); alpha is dropped."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in _TO_RGB or image.dtype != np.uint8:
        raise SourceError(f"a picture of {channels} channels, {image.dtype}; wanted grey, BGR or BGRA of 8 bits")
    return np.asarray(cv2.cvtColor(image, _TO_RGB[channels]), np.uint8)


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
    """Releases recorded pictures when they are due, or at once. A late frame is released, never left out."""

    def __init__(self, name: Path, *, fast: bool) -> None:
        self._name = name
        self._fast = fast
        self.closed = threading.Event()

    def frames(self, pictures: Iterable[tuple[float, Image]]) -> Iterator[Frame]:
        start: float | None = None
        size: tuple[int, ...] | None = None
        warned = False
        for index, (t, image) in enumerate(pictures):
            start = time.monotonic() - t if start is None else start
            if not self._fast:
                self.closed.wait(max(start + t - time.monotonic(), 0.0))
            if self.closed.is_set():
                return
            if size is not None and image.shape != size and not warned:
                warned = True
                log.warning("%s: the pictures' size changes from %s to %s", self._name, size[:2], image.shape[:2])
            size = image.shape
            yield Frame(image, t, index, gap=0, grabbed=time.monotonic())


class VideoFile:
    """A recorded clip at the media time of each frame, so that a variable rate stays one.

    OpenCV scales frames that change their size inside a file to the size of the first.
    """

    dropped = 0

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._path = path
        self._playback = _Playback(path, fast=fast)
        self._lock = threading.Lock()  # `close` must not free a capture while another thread reads from it
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise SourceError(f"{path} cannot be decoded; wanted a video such as mp4, mov, avi, webm or gif")
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.rate_hz = _plausible(self._capture.get(cv2.CAP_PROP_FPS), config.rate_hz)
        first = self._read()  # here, so that a file without frames fails where it is opened
        if first is None:
            self.close()
            raise SourceError(f"{path} has no frame that can be decoded; record it again, or give another file")
        self._first = first

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

    dropped = 0

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._paths = (
            sorted(filter(_is_picture, path.iterdir()), key=lambda picture: _natural(picture.name))
            if path.is_dir()
            else [path]
        )
        if not self._paths:
            raise SourceError(f"{path} holds no pictures; wanted files that end in {', '.join(PICTURES)}")
        self._playback = _Playback(path, fast=fast)
        self.rate_hz = config.rate_hz

    def frames(self) -> Iterator[Frame]:
        return self._playback.frames((i / self.rate_hz, _read_picture(path)) for i, path in enumerate(self._paths))

    def close(self) -> None:
        self._playback.closed.set()


class CvDevice:
    """A camera through cv2.VideoCapture, asked for the configured size and rate; SourceError when it does not open."""

    def __init__(self, index: int, config: SourceConfig) -> None:
        level = cv2.setLogLevel(0)  # the SourceError says more than OpenCV's own lines, at every attempt
        self._capture = cv2.VideoCapture(index)
        cv2.setLogLevel(level)
        if not self._capture.isOpened():
            raise SourceError(_no_camera(index))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, config.width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, config.height)
        self._capture.set(cv2.CAP_PROP_FPS, config.rate_hz)
        self.rate_hz = _plausible(self._capture.get(cv2.CAP_PROP_FPS), config.rate_hz)

    def grab(self) -> bool:
        return self._capture.grab()

    def picture(self) -> Image | None:
        decoded, image = self._capture.retrieve()
        return rgb(image) if decoded else None

    def close(self) -> None:
        self._capture.release()


def _no_camera(index: int) -> str:
    there = ", ".join(sorted(map(str, Path("/dev").glob("video*")), key=_natural)) or "none"
    return (
        f"camera {index} does not open; cameras under /dev: {there}. Plug one in, close other programs that use it, "
        "join the group that may read it (video), or give a video or a folder of pictures"
    )


def _plausible(stated_hz: float, otherwise_hz: float) -> float:
    """Drivers and containers state 0, NaN or their clock's rate when they do not know."""
    return stated_hz if 1.0 <= stated_hz <= 1000.0 else otherwise_hz


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorting key that puts "img2" before "img10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _read_picture(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f"{path} cannot be read as a picture; remove it from the folder or replace it")
    return rgb(image)
