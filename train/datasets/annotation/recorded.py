"""Clips that were recorded: a data set of them, and their frames as the pictures' numbers time them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from realtime import config
from realtime.capture.recorded import picture as pictures
from realtime.capture.recorded.folder import PICTURES
from realtime.capture.source import Source, open_source
from realtime.errors import DataError, SourceError
from realtime.records import Frame, Image
from train.datasets.annotation.sample import Recording, Sample
from train.datasets.annotation.tree import numbered


@dataclass(frozen=True, slots=True)
class RecordedDataset:
    """Implements `sample.Dataset`: clips that lie on disk."""

    name: str
    labels: tuple[str, ...]
    clips: tuple[Sample, ...]

    def samples(self) -> list[Sample]:
        return list(self.clips)

    def frames(self, sample: Sample) -> list[Frame]:
        if sample.recording is None:
            raise DataError(f"{sample.id} was not recorded; ask the data set that made it for its frames")
        return list(read_frames(sample.recording))

    def made_of(self, sample: Sample) -> Sequence[object]:
        """Of where the pictures lie, the path as it was given: with a relative one a cache can be moved along."""
        where = sample.recording
        return () if where is None else (where.path.as_posix(), where.fps, where.first, where.last)


def read_frames(recording: Recording) -> Iterator[Frame]:
    """RGB frames at (number - first) / fps, whatever a video's container says; DataError at one that is unreadable."""
    before = recording.first - 1
    for number, image in _pictures(recording):
        index = number - recording.first
        yield Frame(image, index / recording.fps, index, gap=number - before - 1, grabbed=time.monotonic())
        before = number


def is_still(path: Path) -> bool:
    """Whether `path` is one picture, judged by its name."""
    return path.suffix.lower() in PICTURES


def count_frames(path: Path) -> int:
    """Pictures in a still (1) or a video, which is decoded for it: what containers announce is often wrong."""
    return 1 if is_still(path) else sum(1 for _ in read_video(path))


def video_rate(path: Path) -> float:
    """Frames a second, as the container states it."""
    source = _open(path)
    source.close()
    return source.rate_hz


def read_picture(path: Path) -> Image:
    """uint8 (H, W, 3), RGB; DataError if it cannot be decoded."""
    try:
        return pictures.read_picture(path, largest_px())
    except SourceError as error:
        raise DataError(f"{error}; fetch it anew") from None


@cache
def largest_px() -> int:
    """The longest side of a picture that is read, as source.largest_px of the live half has it."""
    return config.load().source.largest_px


def _pictures(recording: Recording) -> Iterator[tuple[int, Image]]:
    path, first, last = recording.path, recording.first, recording.last
    if path.is_dir():
        chosen = [(number, picture) for number, picture in numbered(path).items() if first <= number <= last]
        return ((number, read_picture(picture)) for number, picture in chosen)
    if is_still(path):
        return iter([(0, read_picture(path))])
    return itertools.islice(enumerate(read_video(path)), first, last + 1)


def read_video(path: Path) -> Iterator[Image]:
    """Its pictures; DataError if it cannot be decoded."""
    source = _open(path)
    try:
        yield from (frame.image for frame in source.frames())
    finally:
        source.close()


def _open(path: Path) -> Source:
    try:
        return open_source(str(path.absolute()), config.load().source, fast=True)
    except SourceError as error:
        raise DataError(str(error)) from None
