"""Takes the pictures of cameras elsewhere, in a thread of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import zmq

from realtime.config import PublishConfig
from realtime.errors import GlimpseError, MessageError
from realtime.publish.connection.address import address_of, port_of
from realtime.publish.connection.complaints import Complaints
from realtime.publish.connection.party import Party
from realtime.publish.connection.peers import Allowance
from realtime.schema.message import LONGEST_BYTES, Picture, decode

#: Pictures of each sender that wait here: the newest count, and a stream keeps its own.
WAITING = 8


class Inbox(Party):
    """Hands each picture to `take`, which must be quick and may refuse one with a GlimpseError."""

    def __init__(self, publish: PublishConfig, take: Callable[[Picture], None]) -> None:
        super().__init__(publish)
        self._take = take
        self._refused = Complaints()
        unread = 1_000_000 * publish.limits.unread_mb
        allowance = Allowance(each=unread, all=unread)
        self._socket = self._bind(zmq.PULL, "frames_port", waiting=WAITING, longest=LONGEST_BYTES, allowance=allowance)
        self.address = address_of(self._socket)
        self.port = port_of(self.address)
        self._attend([self._socket], self._turn, "inbox")

    @property
    def malformed(self) -> int:
        """How many messages were no picture of this version, or were refused."""
        return self._refused.count

    def _turn(self) -> None:
        parts = self._receive(self._socket)
        try:
            self._take(_picture(parts))
        except GlimpseError as error:
            self._refused.add(str(error))


def _picture(parts: list[bytes]) -> Picture:
    if len(parts) > 1:
        raise MessageError(f"a picture of {len(parts)} frames; wanted one")
    topic, picture = decode(parts[0])
    if not isinstance(picture, Picture):
        raise MessageError(f"{topic}: wanted a picture, whose topic is frame/<camera>")
    if not math.isfinite(picture.t):
        raise MessageError(f"{topic}: a picture of time {picture.t}; wanted seconds on the camera's clock")
    return picture
