"""Pictures -> a video file, each at its own time, as players and browsers read it.

With `decoder` the only door to PyAV, and so to FFmpeg.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.frame import VideoFrame

from realtime.errors import SourceError
from realtime.records import Image

#: The first that this machine's FFmpeg has: H.264 by either of two libraries, which browsers play, else MPEG-4 part 2.
CODECS = ("libx264", "libopenh264", "mpeg4")
#: Of a second: fine enough for every camera, and MPEG-4 counts no finer than 65,535.
TICKS = 60_000
_OPTIONS = {"libx264": {"preset": "veryfast", "crf": "21"}}
#: Bits for each pixel of a frame, where a codec is not told a quality but a rate; more than enough for a face.
_BITS_A_PIXEL = 0.2


class VideoWriter:
    """Writes an mp4 file for pictures of one size; an odd side loses its last row or column, as 4:2:0 has it.

    A variable rate stays one. SourceError where no encoder is here, or the file cannot be written.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate_hz: float) -> None:
        self._path = path
        self.codec = _available()
        self._width, self._height = (max(side - side % 2, 2) for side in size)
        self._last = -1
        try:
            self._container = av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"})
            rate = Fraction(max(rate_hz, 1.0)).limit_denominator(1001)
            stream = self._container.add_stream(self.codec, rate=rate, options=_OPTIONS.get(self.codec, {}))
        except (FFmpegError, OSError) as error:
            raise self._unwritable(error) from None
        self._stream = cast(av.VideoStream, stream)  # all of CODECS are of pictures
        self._stream.width, self._stream.height, self._stream.pix_fmt = self._width, self._height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        if self.codec not in _OPTIONS:
            self._stream.bit_rate = int(_BITS_A_PIXEL * self._width * self._height * max(rate_hz, 1.0))

    def write(self, t: float, image: Image) -> None:
        """Add a picture, RGB uint8 (H, W, 3), shown from `t` seconds on."""
        cut = np.ascontiguousarray(image[: self._height, : self._width])
        frame = VideoFrame.from_ndarray(cut, "rgb24")
        self._last = max(round(t * TICKS), self._last + 1)  # what is played must rise
        frame.pts, frame.time_base = self._last, Fraction(1, TICKS)
        self._send(frame)

    def close(self) -> None:
        """Write what waits, and end the file; without it no player opens it."""
        self._send(None)
        try:
            self._container.close()
        except (FFmpegError, OSError) as error:
            raise self._unwritable(error) from None

    def _send(self, frame: VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (FFmpegError, OSError) as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: Exception) -> SourceError:
        return SourceError(
            f"{self._path} cannot be written as {self.codec}: {error}; leave out --annotate, or make room"
        )


def _available() -> str:
    for name in CODECS:
        try:
            av.codec.Codec(name, "w")
        except UnknownCodecError:
            continue
        return name
    raise SourceError(f"this machine's FFmpeg has none of the encoders {', '.join(CODECS)}; leave out --annotate")
