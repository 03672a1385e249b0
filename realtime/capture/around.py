"""A source around another one, which passes on what it does not change."""

from __future__ import annotations

from collections.abc import Iterator

from realtime.capture.source import Source
from realtime.records import Frame


class Around:
    """The frames of `source`, as it gives them: implements `Source`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.rate_hz, self.live = source.rate_hz, source.live

    @property
    def dropped(self) -> int:
        return self._source.dropped

    def frames(self) -> Iterator[Frame]:
        return self._source.frames()

    def close(self) -> None:
        self._source.close()
