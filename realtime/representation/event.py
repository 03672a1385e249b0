"""What is known of an event's frames: the live window and training's clips give the same, and inputs are made of it.

Each part is made when it is asked for, so that an engine costs what its own representation looks at and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from realtime.records import Floats, Image
from realtime.representation.fields import Times

Images = Sequence[Image] | Image  #: pictures (S, S, 3) in a list, or as one array, which may lie on disk
Fields = Sequence[Floats] | Floats  #: fields (2, S, S) in a list, or as one array
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The E frames that the encoder has seen; it has a rate of its own, so they are some of an event's."""

    times: Times  #: float64 (E,), rising
    embeddings: Sequence[Floats] | Floats  #: float32 (width,) each
    fields: Fields = ()  #: of the same frames, for who wants both


class Event(Protocol):
    """T frames of one face in order, from its onset on."""

    @property
    def times(self) -> Times:
        """float64 (T,), rising, in seconds."""

    @property
    def images(self) -> Images:
        """Aligned crops, uint8 (S, S, 3), RGB."""

    @property
    def fields(self) -> Fields:
        """How the face had moved by each frame, (2, S, S) in outer eye distances: see `fields`."""

    @property
    def embedded(self) -> Embedded:
        """What the encoder made of some frames; of the nearest one, which may lie outside, where it saw none."""


class EventFrames:
    """An event whose parts lie ready, as training has them; ValueError if one is asked for that was not given."""

    def __init__(
        self,
        times: Times,
        *,
        images: Images | None = None,
        fields: Fields | None = None,
        embedded: Embedded | None = None,
    ) -> None:
        self.times = times
        self._images, self._fields, self._embedded = images, fields, embedded
        for name, part in (("pictures", images), ("fields", fields)):
            if part is not None and len(part) != len(times):
                raise ValueError(f"an event has {len(part)} {name} at {len(times)} times: give as many")

    @property
    def images(self) -> Images:
        return _given(self._images, "pictures")

    @property
    def fields(self) -> Fields:
        return _given(self._fields, "fields")

    @property
    def embedded(self) -> Embedded:
        return _given(self._embedded, "embeddings")


def _given(part: Part | None, name: str) -> Part:
    if part is None:
        raise ValueError(f"an input is made of {name}, which this event was not given")
    return part
