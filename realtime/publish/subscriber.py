"""Hears what a publisher sends: of the states the newest, of the events all."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import zmq

from realtime.errors import MessageError
from realtime.message import Event, Published, decode
from realtime.publish.sockets import READY, Socket, connect, left_ms

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the topic that it came under."""

    topic: str
    message: Published


class Subscriber:
    """What a publisher of this machine sends, for one thread; it may come before the publisher and outlive it.

    `states` asks for states and meta, of each the newest when it is read; `events` asks for every event.
    """

    def __init__(self, host: str, state_port: int, events_port: int, *, states: bool, events: bool) -> None:
        if not (states or events):
            raise ValueError("a subscriber of neither states nor events hears nothing; ask for one of them")
        self.missed = 0  #: events that were sent but never came, by their numbers
        self.malformed = 0  #: frames that were no message of this version
        self._context = zmq.Context()
        self._context.linger = 0
        self._sockets: list[Socket] = []  # those that come first are read first
        self._poller = zmq.Poller()
        self._heard = False
        self._last_seq: int | None = None
        self._complaint = ""
        if events:
            # The second topic goes after the first, and so does its answer.
            self._connect(host, events_port, "event/", f"ready/{uuid.uuid4().hex}")
        if states:
            # CONFLATE keeps one message a socket whatever its topic, and one subscription: hence two sockets.
            self._connect(host, state_port, "meta", newest=True)
            self._connect(host, state_port, "state/", newest=True)

    def ready(self, timeout_s: float) -> bool:
        """Whether, after up to `timeout_s`, the publisher is known to hear this subscriber: then no event passes it by.

        Without events to wait for, the first meta says so; states need no such care.
        """
        return self._heard or bool(self._sockets[0].poll(left_ms(time.monotonic() + timeout_s)))

    def receive(self, timeout_s: float | None) -> Received | None:
        """The next message, events first; None when none came in time. A `timeout_s` of None waits for ever."""
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while (socket := self._readable(deadline)) is not None:
            received = self._read(socket)
            if received is not None:
                return received
        return None

    def close(self) -> None:
        """Hang up; iterating ends."""
        self._context.destroy(linger=0)

    def __iter__(self) -> Iterator[Received]:
        while not self._context.closed:
            received = self.receive(timeout_s=None)
            if received is not None:
                yield received

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, host: str, port: int, *topics: str, newest: bool = False) -> None:
        socket = connect(self._context, zmq.SUB, host, port, newest=newest)
        for topic in topics:
            socket.subscribe(topic)
        self._sockets.append(socket)
        self._poller.register(socket, zmq.POLLIN)

    def _readable(self, deadline: float) -> Socket | None:
        full = dict(self._poller.poll(left_ms(deadline)))
        return next((socket for socket in self._sockets if socket in full), None)

    def _read(self, socket: Socket) -> Received | None:
        data = socket.recv(zmq.NOBLOCK)
        self._heard = self._heard or socket is self._sockets[0]
        if READY.match(data):
            return None
        try:
            topic, message = decode(data)
        except MessageError as error:
            self._count_malformed(str(error))
            return None
        if not isinstance(message, Published):
            self._count_malformed(f"{topic}: no message for a subscriber")
            return None
        if isinstance(message, Event):
            self._follow(message.seq)
        return Received(topic, message)

    def _count_malformed(self, complaint: str) -> None:
        self.malformed += 1
        if complaint != self._complaint:  # once, not sixty times a second
            log.warning("left out: %s", complaint)
        self._complaint = complaint

    def _follow(self, seq: int) -> None:
        if self._last_seq is not None and seq <= self._last_seq:
            log.info("event %d after %d: the publisher has begun anew", seq, self._last_seq)
            self._last_seq = 0
        lost = 0 if self._last_seq is None else seq - self._last_seq - 1
        if lost:
            log.warning("%d events before number %d never came: this reader is too slow, or was cut off", lost, seq)
        self.missed += lost
        self._last_seq = seq
