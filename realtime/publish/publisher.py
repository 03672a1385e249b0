"""Sends states, meta and numbered events to whoever listens.

A subscription takes a moment to arrive, so a subscriber of events also subscribes to
`ready/<anything>` of its own: the answer proves that the rest is live, and says which run this is and the number of
its last event, so that one who was connected again knows at once what it missed.
"""

from __future__ import annotations

import math
import re
import secrets
import threading
from collections.abc import Callable, Sequence

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.pace import Pace
from realtime.publish.connection.address import address_of, port_of
from realtime.publish.connection.party import Party, Socket
from realtime.publish.connection.peers import Allowance
from realtime.publish.log import EventLog, Sized
from realtime.schema import VERSION
from realtime.schema.message import Event, Meta, State, encode, topic_of

#: What a subscriber of events also subscribes to, under a name of its own, to be told that it is heard.
READY = re.compile(rb"ready/[A-Za-z0-9_.-]{1,64}")
#: Bytes of a subscription, which is all that a subscriber can send.
LONGEST_REQUEST = 1024
#: Bytes that the system takes ahead of a subscriber, who has little to say: one that floods comes through more slowly.
AHEAD = 4096
#: Subscriptions that are looked at between two messages, so that no crowd of them can hold up the frames.
MOST_REQUESTS = 64
#: So often that many are, where nothing else is to be done: a crowd of 20,000 is through in a quarter of a second.
MOST_TURNS = 20


class Publisher(Party):
    """Sends to whoever listens, from any thread; free ports are taken where the configuration says 0.

    It never waits: a message costs the same however slow its readers are. For each of them so many states and events
    are kept: old states are worth little, yet a reader of all cameras that is held up for a tenth of a second should
    miss none; the events are an hour's worth and more.
    """

    def __init__(self, publish: PublishConfig, *, states_waiting: int = 64, events_waiting: int = 10_000) -> None:
        super().__init__(publish, publish.linger_s)
        self.run = secrets.token_hex(8)  #: the name under which this one counts its events
        self.log = EventLog(publish.kept_events, self.run)  #: what `Answers` sends again
        self._journal: Callable[[Event], None] | None = None
        self._lock = threading.Lock()  # of the sockets
        self._order = threading.Lock()  # in which events are numbered and sent; a slow disk holds up no state
        self._pace = Pace(publish.rate_hz)
        self._subscribers = 0
        self._t = 0.0
        self._states = self._publish_at("state_port", zmq.PUB, states_waiting)
        self._events = self._publish_at("events_port", zmq.XPUB, events_waiting)
        self._events.set(zmq.XPUB_VERBOSER, 1)  # each subscriber comes and goes, not the first and the last alone
        self.state_address, self.events_address = address_of(self._states), address_of(self._events)
        self.state_port, self.events_port = port_of(self.state_address), port_of(self.events_address)

    def state(self, state: State) -> None:
        """Send `state`, or drop it where publish.rate_hz allows fewer."""
        with self._lock:
            if not self._pace.allows(state.camera, state.t):
                return
        self._send(state)

    def event(self, event: Event) -> Event:
        """Give `event` the next number of this run, send and keep it; the numbered one comes back."""
        with self._order:
            numbered = msgspec.structs.replace(event, seq=self.log.last + 1, run=self.run)
            data = encode(topic_of(numbered), numbered)
            if self._journal is not None:
                self._journal(numbered)
            with self._lock:
                self._greet(numbered.t)
                self._events.send(data, zmq.NOBLOCK)
                self.log.add(numbered, len(data))
        return numbered

    def outlive(self, journal: Callable[[Event], None], earlier: Sequence[Sized]) -> None:
        """From now on `journal` gets each event before anybody else, and who asks for `earlier` ones is answered.

        These are what journals of runs before this one kept, the oldest first.
        """
        self._journal = journal
        self.log.remember(earlier)

    def meta(self, meta: Meta) -> Meta:
        """Send `meta` with the run, the number of its events, and of those who listen to them; that comes back."""
        whole = msgspec.structs.replace(meta, events=self.last_event, run=self.run, subscribers=self.subscribers)
        self._send(whole)
        return whole

    @property
    def last_event(self) -> int:
        """Number of the last event that was sent, which counts them; 0 before the first."""
        return self.log.last

    @property
    def subscribers(self) -> int:
        """How many subscriptions to events there are, as of the last message or greeting."""
        return self._subscribers

    def greet(self) -> bool:
        """Answer those who wait in `Subscriber.ready`, and count who came and went; True where more of them may wait.

        Every event, state and meta does this too, and so does `Answers`; by itself it serves a program without.
        """
        for _ in range(MOST_TURNS):
            with self._lock:  # each time anew: whoever has something to send comes in between
                if self.closed or not self._greet(self._t):
                    return False
        return True

    def close(self) -> None:
        with self._lock:
            super().close()

    def _publish_at(self, key: str, kind: int, waiting: int) -> Socket:
        allowance = Allowance(each=1000 * self._publish.limits.subscriptions_kb, all=math.inf, ahead=AHEAD)
        return self._bind(kind, key, waiting=waiting, longest=LONGEST_REQUEST, allowance=allowance)

    def _send(self, message: State | Meta) -> None:
        data = encode(topic_of(message), message)  # landmarks take a while: not while others wait
        with self._lock:
            self._greet(message.t)
            self._states.send(data, zmq.NOBLOCK)

    def _greet(self, t: float) -> bool:
        """Look at the next requests; True where there may be more."""
        self._t = t
        heard = _requests(self._events)
        for request in heard:
            topic = request[1:]
            if request[:1] not in (b"\0", b"\1"):
                continue
            if READY.fullmatch(topic) and request[0]:
                answer = {"schema": VERSION, "t": t, "run": self.run, "events": self.log.last}
                self._events.send(topic + b"\0" + msgspec.msgpack.encode(answer), zmq.NOBLOCK)
            elif topic.startswith(b"event/") or b"event/".startswith(topic):
                self._subscribers = max(0, self._subscribers + (1 if request[0] else -1))
        return len(heard) == MOST_REQUESTS


def _requests(socket: zmq.Socket[bytes]) -> list[bytes]:
    """Topics newly subscribed to, which an XPUB reads as a byte 1 and the topic, and their end as a byte 0."""
    heard: list[bytes] = []
    while len(heard) < MOST_REQUESTS and socket.poll(0):
        heard.append(socket.recv(zmq.NOBLOCK))
    return heard
