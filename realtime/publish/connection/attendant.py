"""A thread that serves bound sockets until their party closes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import zmq

log = logging.getLogger(__name__)


class Attendant:
    """Calls `turn`, which waits at `sockets` and serves what came, again and again; it ends with the context."""

    def __init__(self, sockets: Sequence[zmq.Socket[bytes]], turn: Callable[[], None], name: str) -> None:
        self._sockets = sockets
        self._turn = turn
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _serve(self) -> None:
        try:
            while True:
                self._take_turn()
        except zmq.ContextTerminated:
            pass
        finally:
            for socket in self._sockets:
                socket.close()

    def _take_turn(self) -> None:
        try:
            self._turn()
        except zmq.ContextTerminated:
            raise
        except Exception:  # whatever one message did, the next one is served
            log.exception("a message was left out")
