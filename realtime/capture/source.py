"""Camera, stream, video or folder of pictures -> Frames: what a source is, and which one a name means.

Colour is RGB from here on. A recording keeps the times that it was made with, and is played at its own pace or as fast
as it is read. Live captures are opened in `device`, and kept going in `camera`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from realtime.capture import nodes
from realtime.capture.camera import Camera
from realtime.capture.device import CvDevice, CvStream
from realtime.capture.recorded.folder import PICTURES, ImageFolder
from realtime.capture.recorded.video import VideoFile
from realtime.capture.url import is_address, masked
from realtime.config import SourceConfig
from realtime.records import Frame

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


class FiniteSource(Source, Protocol):
    """A source that ends."""

    seconds: float | None  #: how long it plays, as it says itself


def open_source(spec: str, config: SourceConfig, *, fast: bool, cameras: Path = nodes.CAMERAS) -> Source:
    """An address such as "rtsp://host/path" is a stream; a folder, picture or video is played, `fast` without waiting.

    A camera is "0", "/dev/video0", a link to it, or a part of its name in the folder `cameras` that no file has;
    a folder called "0" is reached as "./0". SourceError when it gives no frame, and it shows no password.
    """
    if is_address(spec):
        return Camera(masked(spec), config, lambda: CvStream(spec, config), burst_s=BURST_S)
    if (path := recorded(spec)) is not None:
        return open_recording(path, config, fast=fast)
    # Looked for each time that it is opened: plugged in again, it may have another number.
    return Camera(spec, config, lambda: CvDevice(nodes.find(spec, cameras), config))


def recorded(spec: str) -> Path | None:
    """The file or folder that is meant; None for a camera, an address, and what is not there."""
    path = Path(spec).expanduser()
    return path if nodes.numbered(spec) is None and not is_address(spec) and path.exists() else None


def open_recording(path: Path, config: SourceConfig, *, fast: bool) -> FiniteSource:
    """A video, a picture or a folder of pictures; SourceError when it gives no frame."""
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return ImageFolder(path, config, fast=fast)
    return VideoFile(path, config, fast=fast)
