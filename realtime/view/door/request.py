"""An HTTP request that has to come in time."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from realtime.view.door.connections import Connections

#: What h11 says of a browser from which more of a request is to come.
COMING = (h11.IDLE, h11.SEND_BODY)


class TimedRequests(H11Protocol):
    """Tells `connections` while a request is on its way, from its first byte to the last one of its body."""

    def __init__(self, connections: Connections, **rest: Any) -> None:
        super().__init__(**rest)
        self._connections = connections
        self._descriptor = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._connections.carried(self._descriptor, transport)

    def handle_events(self) -> None:
        """Look at what came."""
        super().handle_events()
        idle = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        is_websocket = self.transport.get_protocol() is not self
        if self.conn.their_state in COMING and not (idle or is_websocket):
            self._connections.expect(self._descriptor)
        else:
            self._connections.arrived(self._descriptor)
