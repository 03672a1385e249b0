"""Who is connected to a bound socket, and who is hung up on.

ZeroMQ's own limits are of one frame and of whole messages that wait; they know neither a message of many frames that
never ends, nor what a subscriber has subscribed to, nor a crowd. So each connection is looked at from outside: its
bytes as the system counts them, which only Linux does (tcp(7), TCP_INFO); elsewhere the crowd alone is limited.
"""

from __future__ import annotations

import ctypes
import math
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import parse_monitor_message

from realtime.publish.connection.complaints import Complaints

#: How often the bytes are looked at. In that time a peer on the same machine can send some 100 MB.
LOOK_S = 0.1
#: Bytes a second that are forgiven, so that a subscriber's own heartbeats, nine bytes every few seconds, never add up.
FORGIVEN_BPS = 4.0
#: struct tcp_info of linux/tcp.h up to tcpi_bytes_received, and where that stands.
INFO_BYTES, RECEIVED_AT = 136, 128
#: From so many bytes on, what one left behind is given back to the system: ZeroMQ keeps 64 bytes for a frame of one.
HOARD = 1_000_000
#: After hanging up ZeroMQ has freed them by then.
FREED_S = 0.5


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the peers of one socket may send without a whole message being read."""

    each: int  #: bytes of one of them
    all: float  #: bytes of them together
    ahead: int = -1  #: bytes of one that the system takes before they are read; -1 leaves that to the system


class Peers:
    """Watches the connections of `bound`, which is about to be; `turn` is for a thread of its own.

    Whoever reads whole messages from `bound` tells their senders to `heard`; where nobody does, each peer has its
    allowance once, but for what is forgiven. A peer that keeps to ZeroMQ's rules comes again by itself after it was
    hung up on.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        bound: zmq.Socket[bytes],
        key: str,
        most: int,
        allowance: Allowance,
    ) -> None:
        """`most` may be connected at once."""
        endpoint = f"inproc://peers-{id(bound)}"
        bound.monitor(endpoint, zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self.socket = context.socket(zmq.PAIR)
        self.socket.set(zmq.RCVHWM, 0)  # ZeroMQ's own thread would wait for room
        self.socket.connect(endpoint)
        self._key, self._most, self._allowance = key, most, allowance
        self._read: dict[int, float] = {}  # by descriptor: bytes that were read, or are forgiven
        self._heard: set[int] = set()
        self._hoarding: set[int] = set()  # those that were cut with much unread
        self._due, self._trim_due = 0.0, math.inf
        self._complaints = Complaints()

    def heard(self, descriptor: int) -> None:
        """A whole message of this connection was read; from any thread."""
        self._heard.add(descriptor)

    def turn(self) -> None:
        """Take note of who came or went, and look at the rest when that is due."""
        waiting = self._read or self._trim_due < math.inf
        if self.socket.poll(round(1000 * LOOK_S) if waiting else None):
            event = parse_monitor_message(self.socket.recv_multipart(zmq.NOBLOCK))
            self._note(event["event"], event["value"])
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + LOOK_S
            self._look()
        if time.monotonic() >= self._trim_due:
            self._trim_due = math.inf
            _trim()

    def _note(self, event: int, descriptor: int) -> None:
        if event == zmq.EVENT_DISCONNECTED:
            self._read.pop(descriptor, None)
            if descriptor in self._hoarding:
                self._hoarding.remove(descriptor)
                self._trim_due = time.monotonic() + FREED_S
        elif len(self._read) < self._most:
            self._read[descriptor] = 0
        else:
            self._complaints.add(
                f"no place for one more at publish.{self._key}: {len(self._read)} are connected, as many as "
                "publish.limits.peers allows"
            )
            _cut(descriptor, 0)

    def _look(self) -> None:
        heard, self._heard = self._heard, set()
        unread: dict[int, float] = {}
        for descriptor, read in list(self._read.items()):
            came = _received(descriptor)
            self._read[descriptor] = came if descriptor in heard else min(came, read + FORGIVEN_BPS * LOOK_S)
            unread[descriptor] = came - self._read[descriptor]
        together = sum(unread.values())
        for descriptor, size in sorted(unread.items(), key=lambda item: -item[1]):
            if size <= self._allowance.each and together <= self._allowance.all:
                break
            together -= size
            self._hang_up(descriptor, size)

    def _hang_up(self, descriptor: int, size: float) -> None:
        """ZeroMQ cannot be told to; so the line is cut under it, as if the peer had hung up."""
        self._complaints.add(
            f"hung up on a peer at publish.{self._key} that sends without end: more than {self._allowance.each} bytes "
            "of subscriptions or of a message that never is whole (see [publish.limits])"
        )
        if size >= HOARD:
            self._hoarding.add(descriptor)
        _cut(descriptor, size)


def _received(descriptor: int) -> int:
    """Bytes that have come over a connection; 0 where the system does not say, or once it is gone."""
    with suppress(OSError), _borrowed(descriptor) as line:
        return _counted(line)
    return 0


def _cut(descriptor: int, size: float) -> None:
    """Cut a connection over which at least `size` bytes have come; not another that has its number by now."""
    with suppress(OSError), _borrowed(descriptor) as line:
        if _counted(line) >= size:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it shall know at once
            line.shutdown(socket.SHUT_RDWR)


def _trim() -> None:
    """Freed memory goes back to the system, where the C library is glibc, which would keep it (malloc_trim(3))."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """The connection as Python's; it stays ZeroMQ's, and takes no descriptor more, of which there may be none left."""
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor)
    try:
        yield line
    finally:
        line.detach()


def _counted(line: socket.socket) -> int:
    if not hasattr(socket, "TCP_INFO"):
        return 0
    info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
    return int(struct.unpack_from("=Q", info, RECEIVED_AT)[0]) if len(info) == INFO_BYTES else 0
