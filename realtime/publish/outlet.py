"""What a pipeline sends to."""

from __future__ import annotations

from typing import Protocol

from realtime.schema.message import Event, Meta, State


class Outlet(Protocol):
    """A publisher, or what stands before one, such as a recorder; several pipelines may send at once."""

    def state(self, state: State) -> None:
        """Send one frame's state."""

    def event(self, event: Event) -> Event:
        """Number and send an event; the numbered one comes back."""

    def meta(self, meta: Meta) -> Meta:
        """Send what is running; it comes back with what the outlet knows of events and subscribers."""
