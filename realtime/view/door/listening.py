"""The socket that browsers connect to, which counts them where they come in and where they go.

That is before TLS and after WebSocket, whose protocols take a connection over from each other.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import suppress
from typing import Any

from realtime.view.door.connections import Connections

#: No descriptor, and no memory, is left for one more.
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
#: How long the page does nothing where not even the spare descriptor helps.
BREATH_S = 0.02


class CountedSocket(socket.socket):
    """A connection that says when it is closed."""

    connections: Connections | None = None

    def close(self) -> None:
        if self.connections is not None:
            self.connections.leave(self.fileno())
            self.connections = None
        super().close()


class Listening(socket.socket):
    """Accepts those whom `connections` lets in, and hangs up on the others at once.

    Where no descriptor is left, a spare one is given up for a moment, so that who waits is hung up on: the system
    would say without end that somebody does, and asyncio would log it each time.
    """

    def __init__(self, bound: socket.socket, connections: Connections) -> None:
        """In place of `bound`."""
        super().__init__(bound.family, bound.type, bound.proto, fileno=bound.detach())
        self.connections = connections
        self._spare = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next one who is let in; ConnectionAbortedError where it was turned away."""
        try:
            accepted, address = super().accept()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            self._hang_up()
            raise ConnectionAbortedError("no descriptor was left") from None
        if self._spare < 0:
            with suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)
        line = CountedSocket(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        if not self.connections.enter(line, str(address[0])):
            line.close()
            raise ConnectionAbortedError("it was turned away")
        line.connections = self.connections
        return line, address

    def close(self) -> None:
        self._give_up_spare()
        super().close()

    def _hang_up(self) -> None:
        self.connections.refuse(
            "no file descriptor is left; raise the limit (ulimit -n), or lower view.connections.most"
        )
        try:
            self._give_up_spare()
            super().accept()[0].close()
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:  # somebody else took it
            time.sleep(BREATH_S)

    def _give_up_spare(self) -> None:
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
