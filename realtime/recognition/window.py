"""The last seconds of one face: its crops, how it moved, and what the encoder made of some of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime.records import Crop, Floats, Image, Times
from realtime.representation.contract.event import EventFrames


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder made of a crop."""

    embedding: Floats  #: float32 (width,)
    probabilities: Floats  #: float32 (C,), of the encoder's labels, this frame alone


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame of one face."""

    crop: Crop
    field: Floats  #: float32 (2, S, S): how the face moved in the last lag (see `fields`)
    encoded: Encoded | None  #: None for frames between those that the encoder sees


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The frames between two moments; the encoder has seen some of them, or the nearest one it has seen is there.

    It is an `Event`: representations make inputs of it.
    """

    frames: Sequence[Seen]
    encoded: Sequence[tuple[Seen, Encoded]]

    @property
    def times(self) -> Times:
        """Of the frames."""
        return np.array([seen.crop.t for seen in self.frames])

    @property
    def images(self) -> list[Image]:
        """Of the frames."""
        return [seen.crop.image for seen in self.frames]

    @property
    def fields(self) -> list[Floats]:
        """Of the frames."""
        return [seen.field for seen in self.frames]

    @property
    def embedded(self) -> EventFrames:
        """Those that the encoder has seen."""
        times = np.array([seen.crop.t for seen, _ in self.encoded])
        embeddings = [encoded.embedding for _, encoded in self.encoded]
        return EventFrames(times, embeddings=embeddings, fields=[seen.field for seen, _ in self.encoded])


class Window:
    """A ring buffer by seconds; each stage runs once a frame at most, and events read its results here."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[Seen] = deque()
        self._looked: deque[Seen] = deque()  # those that the encoder has seen, the newest one however old it is

    def push(self, seen: Seen) -> None:
        """Append the newest frame and drop those that are too old."""
        self._kept.append(seen)
        while seen.crop.t - self._kept[0].crop.t > self._seconds:
            self._kept.popleft()
        if seen.encoded is not None:
            self._looked.append(seen)
        while len(self._looked) > 1 and seen.crop.t - self._looked[0].crop.t > self._seconds:
            self._looked.popleft()

    def span(self, begin: float, end: float) -> Span:
        """Frames with begin <= t <= end, in order; the nearest one if there is none, nothing if the window is empty."""
        encoded = [(seen, seen.encoded) for seen in _within(self._looked, begin, end) if seen.encoded is not None]
        return Span(_within(self._kept, begin, end), encoded)

    def interval(self, begin: float, end: float) -> float:
        """Mean seconds from frame to frame with begin <= t <= end; infinite where fewer than two are there."""
        times = [seen.crop.t for seen in self._kept if begin <= seen.crop.t <= end]
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else math.inf


def _within(kept: Sequence[Seen], begin: float, end: float) -> list[Seen]:
    """Those with begin <= t <= end, or else the nearest to `begin`."""
    inside = [seen for seen in kept if begin <= seen.crop.t <= end]
    return inside or sorted(kept, key=lambda seen: abs(seen.crop.t - begin))[:1]
