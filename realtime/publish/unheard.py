"""An outlet that reaches nobody: what works on files alone needs no port, so it runs beside whatever holds them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

import msgspec

from realtime.schema.message import Event, Meta, State, encode, topic_of


class Unheard:
    """Implements `Outlet`: messages are made and numbered as a `Publisher` does it, and go nowhere. Any thread may."""

    def __init__(self, journal: Callable[[Event], None] | None = None) -> None:
        self._journal = journal  # gets each event, as a publisher's does
        self._run, self._last = secrets.token_hex(8), 0
        self._order = threading.Lock()

    def state(self, state: State) -> None:
        """Make the bytes of `state`, so that a measurement holds what they cost."""
        encode(topic_of(state), state)

    def event(self, event: Event) -> Event:
        """Give `event` the next number; the numbered one comes back."""
        with self._order:
            self._last += 1
            numbered = msgspec.structs.replace(event, seq=self._last, run=self._run)
            if self._journal is not None:
                self._journal(numbered)
        encode(topic_of(numbered), numbered)
        return numbered

    def meta(self, meta: Meta) -> Meta:
        """Give `meta` the number of the last event."""
        whole = msgspec.structs.replace(meta, events=self._last, run=self._run)
        encode(topic_of(whole), whole)
        return whole
