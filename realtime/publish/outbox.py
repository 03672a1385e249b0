"""Sends pictures of a camera elsewhere to a running Glimpse."""

from __future__ import annotations

import zmq

from realtime.config import PublishConfig
from realtime.publish.connection.party import Party
from realtime.schema.message import Picture, encode, topic_of

#: Pictures on their way: one that waits long is worth nothing.
WAITING = 8


class Outbox(Party):
    """Sends pictures, from one thread; it may come before the Glimpse that takes them and outlive it."""

    def __init__(self, publish: PublishConfig) -> None:
        super().__init__(publish)
        self._socket = self._connect(zmq.PUSH, "frames_port", waiting=WAITING, IMMEDIATE=1)

    def send(self, picture: Picture) -> bool:
        """Send `picture`, or say False at once where nobody takes it now; MessageError if it is too large."""
        try:
            self._socket.send(encode(topic_of(picture), picture), zmq.NOBLOCK)
        except zmq.Again:
            self.look()
            return False
        return True
