"""The sockets: states, of which the newest counts, on one; events, of which each counts, on another. Only door to zmq.

A publisher never waits: what a slow subscriber has no room for is dropped, for that one alone,
and the numbers of the events show it. A subscription takes a moment to arrive, so a subscriber
of events also subscribes to `ready/<anything>` of its own: the answer proves that the rest is live.
"""

from __future__ import annotations

import errno
import logging
import math
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import MessageError, PublishError
from realtime.message import Event, Message, Meta, State, decode, encode, topic_of
from realtime.schema import VERSION

log = logging.getLogger(__name__)

LOCAL = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "[::1]"}
#: Messages kept for each slow subscriber. Old states are worth nothing; the events are an hour's worth and more.
STATES_WAITING, EVENTS_WAITING = 4, 10_000
READY = re.compile(rb"ready/[A-Za-z0-9_.-]{1,64}")
#: Subscriptions that are looked at between two messages, so that no crowd of them can hold up the frames.
MOST_REQUESTS = 64
LONGEST_POLL_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the topic that it came under."""

    topic: str
    message: Message


class Publisher:
    """Sends to whoever listens, from one thread; free ports are taken where the configuration says 0."""

    def __init__(self, config: PublishConfig) -> None:
        self._context = zmq.Context()
        self._context.linger = round(config.linger_s * 1000)  # also when nobody calls `close`
        self._linger_s = config.linger_s
        self._pace = _Pace(config.rate_hz)
        self._seq = 0
        self._t = 0.0
        try:
            self._states = self._bind(zmq.PUB, STATES_WAITING, config.host, config.state_port, "state_port")
            self._events = self._bind(zmq.XPUB, EVENTS_WAITING, config.host, config.events_port, "events_port")
        except PublishError:
            self._context.destroy(linger=0)
            raise
        self.state_address = self._states.get_string(zmq.LAST_ENDPOINT)  #: such as tcp://127.0.0.1:5556
        self.events_address = self._events.get_string(zmq.LAST_ENDPOINT)
        self.state_port = int(self.state_address.rpartition(":")[2])
        self.events_port = int(self.events_address.rpartition(":")[2])

    def state(self, state: State) -> None:
        """Send `state`, or drop it where publish.rate_hz allows fewer."""
        if self._pace.allows(state.t):
            self._send(self._states, state)

    def event(self, event: Event) -> Event:
        """Give `event` the next number and send it; the numbered one comes back."""
        numbered = msgspec.structs.replace(event, seq=self._seq + 1)
        self._send(self._events, numbered)
        self._seq = numbered.seq
        return numbered

    @property
    def last_event(self) -> int:
        """Number of the last event that was sent, which counts them; 0 before the first."""
        return self._seq

    def meta(self, meta: Meta) -> None:
        """Send `meta` with the number of events so far."""
        self._send(self._states, msgspec.structs.replace(meta, events=self._seq))

    def greet(self, timeout_s: float = 0.0) -> int:
        """Answer those who wait in `Subscriber.ready`; how many comes back, after up to `timeout_s` for the first.

        Every event, state and meta does this too; by itself it serves a program that has none to send yet.
        """
        self._events.poll(round(timeout_s * 1000))
        asked = [topic for topic in _requests(self._events) if READY.fullmatch(topic)]
        for topic in asked:
            self._events.send(topic + b"\0" + msgspec.msgpack.encode({"schema": VERSION, "t": self._t}), zmq.NOBLOCK)
        return len(asked)

    def close(self) -> None:
        """Free the ports, once what is on its way has gone or publish.linger_s has passed."""
        self._context.destroy(linger=round(self._linger_s * 1000))

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, socket: zmq.Socket[bytes], message: Message) -> None:
        data = encode(topic_of(message), message)
        self._t = message.t
        self.greet()
        socket.send(data, zmq.NOBLOCK)

    def _bind(self, kind: int, waiting: int, host: str, port: int, key: str) -> zmq.Socket[bytes]:
        endpoint = _endpoint(host, port)
        socket = self._context.socket(kind)
        socket.set(zmq.IPV6, int("[" in endpoint))
        socket.set(zmq.SNDHWM, waiting)
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            raise PublishError(_why(error, endpoint, port, key)) from None
        return socket


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
        self._sockets: list[zmq.Socket[bytes]] = []  # those that come first are read first
        self._poller = zmq.Poller()
        self._heard = False
        self._last_seq: int | None = None
        self._complaint = ""
        if events:
            # The second topic goes after the first, and so does its answer.
            self._connect(_endpoint(host, events_port), "event/", f"ready/{uuid.uuid4().hex}")
        if states:
            # CONFLATE keeps one message a socket whatever its topic, and one subscription: hence two sockets.
            self._connect(_endpoint(host, state_port), "meta", newest=True)
            self._connect(_endpoint(host, state_port), "state/", newest=True)

    def ready(self, timeout_s: float) -> bool:
        """Whether, after up to `timeout_s`, the publisher is known to hear this subscriber: then no event passes it by.

        Without events to wait for, the first meta says so; states need no such care.
        """
        return self._heard or bool(self._sockets[0].poll(_left_ms(time.monotonic() + timeout_s)))

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

    def _connect(self, endpoint: str, *topics: str, newest: bool = False) -> None:
        socket = self._context.socket(zmq.SUB)
        socket.set(zmq.IPV6, int("[" in endpoint))
        socket.set(zmq.RCVHWM, EVENTS_WAITING)
        socket.set(zmq.CONFLATE, int(newest))
        try:
            socket.connect(endpoint)
        except zmq.ZMQError as error:
            raise PublishError(f"{endpoint}: {error}; give the port that the publisher says it took") from None
        for topic in topics:
            socket.subscribe(topic)
        self._sockets.append(socket)
        self._poller.register(socket, zmq.POLLIN)

    def _readable(self, deadline: float) -> zmq.Socket[bytes] | None:
        full = dict(self._poller.poll(_left_ms(deadline)))
        return next((socket for socket in self._sockets if socket in full), None)

    def _read(self, socket: zmq.Socket[bytes]) -> Received | None:
        data = socket.recv(zmq.NOBLOCK)
        self._heard = self._heard or socket is self._sockets[0]
        if READY.match(data):
            return None
        try:
            topic, message = decode(data)
        except MessageError as error:
            self._count_malformed(str(error))
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


class _Pace:
    """At most `rate_hz` messages a second of the source's clock; on a grid, or 25 Hz would make 20 of 60."""

    def __init__(self, rate_hz: float) -> None:
        self._period = 1.0 / rate_hz if rate_hz > 0 else 0.0
        self._due = -math.inf

    def allows(self, t: float) -> bool:
        if 0.0 < self._due - t <= self._period:  # further ahead: the clock has begun anew
            return False
        following = self._due + self._period
        self._due = following if t < following <= t + self._period else t + self._period
        return True


def _endpoint(host: str, port: int) -> str:
    if host not in LOCAL:
        raise PublishError(
            f"host {host!r}; only {', '.join(LOCAL)} are reached, since faces are personal data and beyond this "
            "machine need CURVE keys, which this version does not have yet: use --set publish.host=127.0.0.1"
        )
    return f"tcp://{LOCAL[host]}:{port or '*'}"


def _why(error: zmq.ZMQError, endpoint: str, port: int, key: str) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{endpoint} (publish.{key}) cannot be bound: {error}; choose another port with --set publish.{key}=0"
    return (
        f"port {port} (publish.{key}) is in use, perhaps by another Glimpse. `ss -ltnp 'sport = :{port}'` shows by "
        f"whom: stop that, or choose another port with --set publish.{key}=..., 0 for any free one"
    )


def _requests(socket: zmq.Socket[bytes]) -> list[bytes]:
    """Topics newly subscribed to, which an XPUB reads as a byte 1 and the topic, and their end as a byte 0."""
    heard: list[bytes] = []
    while len(heard) < MOST_REQUESTS and socket.poll(0):
        heard.append(socket.recv(zmq.NOBLOCK))
    return [request[1:] for request in heard if request[:1] == b"\1"]


def _left_ms(deadline: float) -> int | None:
    """Milliseconds until `deadline` on the monotonic clock, as poll takes them: 24 days at most, None without end."""
    if deadline == math.inf:
        return None
    return min(max(0, math.ceil((deadline - time.monotonic()) * 1000)), LONGEST_POLL_MS)
