"""Whether a recording without a face lies on its side, which nothing in its file says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.landmarker import open_landmarker
from realtime.records import Frame, Image

#: Pictures that are looked at, a second from one to the next: in one alone somebody may blink or turn away.
MOST_PICTURES, APART_S = 3, 1.0
#: Quarters against the clock that turn a picture upright -> what ffmpeg calls it.
FILTERS = {3: "transpose=clock", 1: "transpose=cclock", 2: "hflip,vflip"}


class Glanced(Around):
    """A source of which a few of the first pictures are remembered."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.pictures: list[Image] = []

    def frames(self) -> Iterator[Frame]:
        due = 0.0
        for frame in super().frames():
            if frame.t >= due and len(self.pictures) < MOST_PICTURES:
                self.pictures.append(frame.image)
                due = frame.t + APART_S
            yield frame


def lies(pictures: list[Image], config: Config) -> str:
    """What to do about it, where a face is found in one of `pictures` once it is turned; else nothing."""
    landmarker = open_landmarker(config, still=True)
    try:
        for quarters, turn in FILTERS.items():
            if any(landmarker.find(np.ascontiguousarray(np.rot90(picture, quarters)), 1) for picture in pictures):
                lying = "stands on its head" if quarters == 2 else "lies on its side"
                return (
                    f"a face is seen once the picture is turned: it {lying}, and its file does not say so; turn it, "
                    f"such as with `ffmpeg -i FILE -vf {turn} TURNED.mp4`, and look at that"
                )
    finally:
        landmarker.close()
    return ""
