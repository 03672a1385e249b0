"""Pictures of a video file as a person would see them: turned as its metadata says, in its own colours.

The only door to PyAV, and so to FFmpeg, for what is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from realtime.capture.recorded.picture import require_size
from realtime.errors import SourceError
from realtime.records import Image

#: Containers of recordings. Playlists and scripts are none: they name other files, which nobody chose.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,ivf,obu,flv,asf,ogg,mjpeg,"
    "mjpeg_2000,mxf,dv,apng,yuv4mpegpipe,nut,rm,wtv"
)
#: H.273, table 4 -> what swscale calls it. Whoever says nothing means BT.601, as all cameras once did.
_MATRICES = {1: 1, 4: 4, 7: 7, 9: 9, 10: 9}
_BT601 = 5


class Decoder:
    """A video whose frames are decoded one after another; SourceError for what is none.

    A side longer than `scaled_px` is read at that: 4K shows no face better, and costs four times as much.
    """

    def __init__(self, path: Path, largest_px: int, scaled_px: int) -> None:
        try:
            # "file:", or what stands before a colon in a name is taken for a protocol.
            self._container = av.open(
                f"file:{path}", options={"protocol_whitelist": "file", "format_whitelist": FORMATS}
            )
        except (FFmpegError, OSError) as error:
            raise SourceError(
                f"{path} cannot be decoded; wanted a video such as mp4, mov, avi, webm or gif ({error.strerror})"
            ) from None
        try:
            self._stream = _pictures_of(path, self._container)
            context = self._stream.codec_context
            if context.width or context.height:  # where the container says
                require_size(path, (context.width, context.height), largest_px)
        except SourceError:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._scaled_px = scaled_px
        self._size: tuple[int, int] | None = None
        self.damaged = 0  #: packets that could not be decoded
        self._frames = self._decoded()

    @property
    def rate_hz(self) -> float:
        """As the file states it; 0 where it does not."""
        if self._container.format.name == "gif" and self.seconds:  # whose average FFmpeg takes over its first frames
            return self.announced / self.seconds
        return float(self._stream.average_rate or self._stream.guessed_rate or 0)

    @property
    def announced(self) -> int:
        """Frames that the container says it has; 0 where it does not."""
        return self._stream.frames

    @property
    def seconds(self) -> float | None:
        """How long it plays, as it says itself."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return None if self._container.duration is None else float(Fraction(self._container.duration, av.time_base))

    def read(self) -> tuple[float | None, Image] | None:
        """Position in seconds, if it has one, and picture (H, W, 3) of the next frame; None at the end."""
        frame = next(self._frames, None)
        if frame is None:
            return None
        return frame.time, self._shown(frame)

    def close(self) -> None:
        """Give the file back."""
        self._container.close()

    def _decoded(self) -> Iterator[VideoFrame]:
        """The frames, without those that are damaged; a file that is cut off ends where it is cut."""
        try:
            for packet in self._container.demux(self._stream):
                yield from self._frames_of(packet)
        except FFmpegError:
            self.damaged += 1

    def _frames_of(self, packet: av.Packet) -> Sequence[VideoFrame]:
        try:
            return self._stream.decode(packet)
        except FFmpegError:
            self.damaged += 1
            return []

    def _shown(self, frame: VideoFrame) -> Image:
        """RGB of the first frame's size, upright."""
        if self._size is None:
            share = min(self._scaled_px / max(frame.width, frame.height), 1.0)
            self._size = max(round(share * frame.width), 1), max(round(share * frame.height), 1)
        width, height = self._size
        same = (width, height) == (frame.width, frame.height)
        image = frame.reformat(
            width,
            height,
            "rgb24",
            src_colorspace=_MATRICES.get(int(frame.colorspace), _BT601),
            dst_colorspace=_BT601,  # RGB has none, but PyAV looks at the first only where the two differ
            interpolation=Interpolation.BILINEAR if same else Interpolation.AREA,
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))


def _pictures_of(path: Path, container: av.container.InputContainer) -> av.VideoStream:
    """The first stream of pictures that is no cover of a piece of music."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise SourceError(f"{path} has no pictures: it holds {kinds}; wanted a video such as mp4, mov, avi, webm or gif")
