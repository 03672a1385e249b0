"""A folder of pictures as a recording: ordered by their numbers, and a number that is missing is a gap."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from realtime.capture.recorded.picture import read_picture
from realtime.capture.recorded.playback import Playback, Recorded
from realtime.config import SourceConfig
from realtime.errors import SourceError
from realtime.records import Frame

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
_NUMBER = re.compile(r"[0-9]+(?=[^0-9]*$)")  # the last one of a name


class ImageFolder:
    """Pictures at the configured rate, ordered by name with numbers by value (img2 before img10); or one picture.

    Where names differ in their last number alone, and by one and the same step more often than not, a larger step is a
    hole: what was left out, or failed to be written, took its time all the same.
    """

    def __init__(self, path: Path, config: SourceConfig, *, fast: bool) -> None:
        self._paths = (
            sorted(filter(_is_picture, path.iterdir()), key=lambda picture: _natural(picture.name))
            if path.is_dir()
            else [path]
        )
        if not self._paths:
            raise SourceError(f"{path} holds no pictures; wanted files that end in {', '.join(PICTURES)}")
        self._playback = Playback(path, config, fast=fast)
        self.live = self._playback.live
        self.rate_hz = config.rate_hz
        self._largest_px = config.largest_px
        self._missing = _missing([picture.stem for picture in self._paths])
        self.seconds: float | None = (len(self._paths) + sum(self._missing)) / self.rate_hz

    @property
    def dropped(self) -> int:
        return self._playback.dropped

    def frames(self) -> Iterator[Frame]:
        return self._playback.frames(self._recorded())

    def close(self) -> None:
        self._playback.closed.set()

    def _recorded(self) -> Iterator[Recorded]:
        place = -1
        for path, missing in zip(self._paths, self._missing, strict=True):
            place += 1 + missing
            yield Recorded(place / self.rate_hz, read_picture(path, self._largest_px), missing)


def _missing(names: Sequence[str]) -> list[int]:
    """How many pictures are lacking before each."""
    numbers = [_NUMBER.search(name) for name in names]
    if len(names) < 2 or None in numbers or len({_NUMBER.sub("", name) for name in names}) > 1:
        return [0] * len(names)
    steps = [int(b[0]) - int(a[0]) for a, b in pairwise(filter(None, numbers))]
    usual, often = Counter(steps).most_common(1)[0]
    if usual <= 0 or 2 * often <= len(steps):
        return [0] * len(names)
    return [0, *(max(round(step / usual), 1) - 1 for step in steps)]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorting key that puts "img2" before "img10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]
