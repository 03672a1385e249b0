"""Sends states, meta and numbered events to whoever listens.

A subscription takes a moment to arrive, so a subscriber of events also subscribes to
`ready/<anything>` of its own: the answer proves that the rest is live.
"""

from __future__ import annotations

import math
from types import TracebackType

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import PublishError
from realtime.message import Event, Meta, Published, State, encode, topic_of
from realtime.publish.sockets import EVENTS_WAITING, READY, STATES_WAITING, Socket, bind
from realtime.schema import VERSION

#: Subscriptions that are looked at between two messages, so that no crowd of them can hold up the frames.
MOST_REQUESTS = 64


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
            self._states = bind(self._context, zmq.PUB, STATES_WAITING, config.host, config.state_port, "state_port")
            self._events = bind(self._context, zmq.XPUB, EVENTS_WAITING, config.host, config.events_port, "events_port")
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

    def _send(self, socket: zmq.Socket[bytes], message: Published) -> None:
        data = encode(topic_of(message), message)
        self._t = message.t
        self.greet()
        socket.send(data, zmq.NOBLOCK)


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


def _requests(socket: Socket) -> list[bytes]:
    """Topics newly subscribed to, which an XPUB reads as a byte 1 and the topic, and their end as a byte 0."""
    heard: list[bytes] = []
    while len(heard) < MOST_REQUESTS and socket.poll(0):
        heard.append(socket.recv(zmq.NOBLOCK))
    return [request[1:] for request in heard if request[:1] == b"\1"]
