"""Whether a recording without a face lies on its side, which nothing in its file says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realtime.capture.around import Around
from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.landmarker import open_landmarker
from realtime.faces import landmarks as lm
from realtime.records import Floats, Frame, Image

#: Pictures that are looked at, a second from one to the next: in one alone somebody may blink or turn away.
MOST_PICTURES, APART_S = 3, 1.0
#: The way is not told: a mesh is fitted to a face on its head as well, so both ways of turning find one.
ON_ITS_SIDE = (
    "a face is seen once the picture is turned by a quarter: it lies on its side, and its file does not say so; turn "
    "it with `ffmpeg -i FILE -vf transpose=clock TURNED.mp4` or with transpose=cclock, and look at that"
)


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
    """What to do about it, where a face is found in one of `pictures` once it is turned by a quarter; else nothing."""
    landmarker = open_landmarker(config, still=True)
    try:
        turned = (np.ascontiguousarray(np.rot90(picture)) for picture in pictures)
        found = any(_stands(points) for picture in turned for points in landmarker.find(picture, 1))
    finally:
        landmarker.close()
    return ON_ITS_SIDE if found else ""


def _stands(points: Floats) -> bool:
    """Whether the mouth of a face is below its eyes."""
    eyes = points[[lm.LEFT_EYE_OUTER, lm.RIGHT_EYE_OUTER], :2].mean(axis=0)
    mouth = points[[lm.LEFT_MOUTH, lm.RIGHT_MOUTH], :2].mean(axis=0)
    across, down = (mouth - eyes).tolist()
    return bool(down > abs(across))
