"""What is known of an event's frames: the live window and training's clips give the same, and inputs are made of it.

Each part is made when it is asked for, so that an engine costs what its own representation looks at and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from realtime.records import Floats, Image, Times

Images = Sequence[Image] | Image  #: pictures (S, S, 3) in a list, or as one array, which may lie on disk
Rows = Sequence[Floats] | Floats  #: an array for each frame in a list, or all in one


class Embedded(Protocol):
    """The E frames that the encoder has seen; it has a rate of its own, so they are some of an event's."""

    @property
    def times(self) -> Times:
        """float64 (E,), rising, in seconds."""

    @property
    def embeddings(self) -> Rows:
        """What the encoder made of each, float32 (width,)."""

    @property
    def fields(self) -> Rows:
        """As an event's."""


class SeenEvent(Protocol):
    """T frames of one face in order, from its onset on."""

    @property
    def times(self) -> Times:
        """float64 (T,), rising, in seconds."""

    @property
    def images(self) -> Images:
        """Aligned crops, uint8 (S, S, 3), RGB."""

    @property
    def fields(self) -> Rows:
        """How the face had moved by each frame, (2, S, S) in outer eye distances: see `fields`."""

    @property
    def embedded(self) -> Embedded:
        """The frames that the encoder has seen; where it saw none, the nearest one that it did, which lies outside."""


class EventFrames:
    """Frames whose parts lie ready, as training has them; ValueError if one is asked for that was not given.

    It is an `SeenEvent` of which the encoder has seen every frame, if it has embeddings.
    """

    def __init__(
        self, times: Times, *, images: Images | None = None, fields: Rows | None = None, embeddings: Rows | None = None
    ) -> None:
        self.times = times
        self._images, self._fields, self._embeddings = images, fields, embeddings
        for name, part in (("pictures", images), ("fields", fields), ("embeddings", embeddings)):
            if part is not None and len(part) != len(times):
                raise ValueError(f"an event has {len(part)} {name} at {len(times)} times: give as many")

    @property
    def images(self) -> Images:
        if self._images is None:
            raise _lacking("pictures")
        return self._images

    @property
    def fields(self) -> Rows:
        if self._fields is None:
            raise _lacking("fields")
        return self._fields

    @property
    def embeddings(self) -> Rows:
        if self._embeddings is None:
            raise _lacking("embeddings")
        return self._embeddings

    @property
    def embedded(self) -> EventFrames:
        return self


def _lacking(name: str) -> ValueError:
    return ValueError(f"an input is made of {name}, which this event was not given")
