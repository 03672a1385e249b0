"""Frames -> a video file. The only door to the ffmpeg program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from realtime.errors import DataError
from realtime.records import Frame


def encode(frames: Iterable[Frame], rate_hz: float, target: Path, quality: int = 17, preset: str = "slow") -> None:
    """H.264 by the ffmpeg program, which is needed only here: OpenCV's own encoders smear small movements.

    `preset` is libx264's: a fast one makes larger files, of the same quality.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise DataError("no ffmpeg on the path; it encodes videos: install it (Debian: apt-get install ffmpeg)")
    rest = iter(frames)
    first = next(rest)
    height, width = first.image.shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{rate_hz:g}", "-i", "-"]
    coded = ["-c:v", "libx264", "-preset", preset, "-crf", str(quality), "-pix_fmt", "yuv420p"]
    command = [program, "-y", "-loglevel", "error", *raw, *coded, "-movflags", "+faststart", str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in chain([first], rest):
            process.stdin.write(frame.image.tobytes())
        process.stdin.close()
    if process.returncode != 0:
        raise DataError(f"ffmpeg failed on {target} with status {process.returncode}; its message stands above")
