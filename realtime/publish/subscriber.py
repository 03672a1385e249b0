"""Hears what a publisher sends: of the states the newest, or all that came; of the events each, once and in order."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import MessageError, PublishError
from realtime.publish.asker import Line
from realtime.publish.connection.complaints import Complaints
from realtime.publish.connection.party import Party, Socket
from realtime.publish.connection.wait import left_ms
from realtime.publish.gaps import Gaps
from realtime.publish.publisher import READY
from realtime.schema.fields import Count, RunId
from realtime.schema.message import AskEvents, Event, Events, Meta, Published, decode, topic_of

#: How often, while nothing comes, it is looked whether something is wrong.
LOOK_S = 1.0


class Greeting(msgspec.Struct, frozen=True):
    """What a publisher answers to `ready/...`: which run it is, and the number of its last event."""

    run: RunId = ""
    events: Count = 0


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the topic that it came under."""

    topic: str
    message: Published


class Subscriber(Party):
    """What a publisher sends, for one thread; it may come before the publisher and outlive it.

    `states` asks for states and meta: "newest" gives of each the newest when it is read, "all" what its place in the
    publisher's queue did not drop. `events` asks for every event: those that went missing are asked for again at
    publish.replay_port for publish.replay_s, unless the port is 0, and every `again_s` while no answer comes. `since`
    begins with those kept after that number. A publisher that was started again, which `restarts` counts and the log
    tells, is asked for what it kept of the run before, then for the beginning of its own. At each socket up to
    `waiting` messages wait for this reader.
    """

    def __init__(
        self,
        publish: PublishConfig,
        *,
        states: Literal["newest", "all"] | None,
        events: bool,
        since: int | None = None,
        waiting: int = 10_000,
        again_s: float = 1.0,
    ) -> None:
        if not (states or events):
            raise ValueError("a subscriber of neither states nor events hears nothing; ask for one of them")
        super().__init__(publish)
        self._complaints = Complaints()
        self._gaps = Gaps(since)
        self._waiting, self._again_s = waiting, again_s
        self._line: Line | None = None
        self._ask_due = self._settle_due = math.inf
        self._heard = False
        self._follows_events = events
        self._order: list[Socket] = []  # those that come first are read first
        if events:
            self._follow_events()
        if states == "all":
            self._subscribe("state_port", "meta", "state/")
        elif states == "newest":
            # CONFLATE keeps one message a socket whatever its topic, and one subscription: hence two sockets.
            self._subscribe("state_port", "meta", CONFLATE=1)
            self._subscribe("state_port", "state/", CONFLATE=1)

    @property
    def missed(self) -> int:
        """Events that were sent but never came, by their numbers, and are no longer kept."""
        return self._gaps.missed

    @property
    def restarts(self) -> int:
        """How often the publisher was started again, by what events and meta say of their run."""
        return self._gaps.restarts

    @property
    def malformed(self) -> int:
        """Frames that were no message of this version."""
        return self._complaints.count

    def ready(self, timeout_s: float) -> bool:
        """Whether, after up to `timeout_s`, the publisher is known to hear this subscriber: then no event passes it by.

        Without events to wait for, the first meta says so; states need no such care.
        """
        deadline = time.monotonic() + timeout_s
        while not self._heard and not self._wait(self._order[:1], deadline):
            if time.monotonic() >= deadline:
                return False
        return True

    def receive(self, timeout_s: float | None) -> Received | None:
        """The next message, events first; None when none came in time. A `timeout_s` of None waits for ever."""
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._ask_for_missing()
            if (event := self._gaps.next()) is not None:
                return Received(topic_of(event), event)
            socket = self._readable(min(deadline, self._ask_due, self._settle_due))
            if socket is None and time.monotonic() >= deadline:
                return None
            if socket is not None and (received := self._read(socket)) is not None:
                return received

    def __iter__(self) -> Iterator[Received]:
        while not self.closed:
            received = self.receive(timeout_s=None)
            if received is not None:
                yield received

    def _follow_events(self) -> None:
        # The second topic goes after the first, and so does its answer.
        self._subscribe("events_port", "event/", f"ready/{uuid.uuid4().hex}")
        if self._publish.replay_port:
            self._line = Line(self._connect(zmq.DEALER, "replay_port", waiting=self._waiting))

    def _subscribe(self, key: str, *topics: str, **options: int) -> None:
        socket = self._connect(zmq.SUB, key, waiting=self._waiting, **options)
        for topic in topics:
            socket.subscribe(topic)
        self._order.append(socket)

    def _ask_for_missing(self) -> None:
        """Ask where something is wanted, and again, and give up where nobody answers for long."""
        if self._gaps.wanted is None:
            return
        now = time.monotonic()
        if self._line is None or now >= self._settle_due:
            self._settle()
        elif self._settle_due == math.inf:
            self._line.say(AskEvents(since=self._gaps.wanted, run=self._gaps.run))
            self._ask_due, self._settle_due = now + self._again_s, now + self._publish.replay_s
        elif now >= self._ask_due:
            self._line.repeat()
            self._ask_due = now + self._again_s

    def _settle(self) -> None:
        self._gaps.give_up()
        self._ask_due = self._settle_due = math.inf

    def _readable(self, deadline: float) -> Socket | None:
        """The first socket with a message; while events are missing, later ones wait where they are."""
        open_now = self._order
        if self._line is not None and self._gaps.wanted is not None:
            open_now = [self._line.socket, *self._order[1:]]
        full = self._wait(open_now, deadline)
        return next((socket for socket in open_now if socket in full), None)

    def _wait(self, sockets: list[Socket], deadline: float) -> list[Socket]:
        """Those with a message; none after `deadline`, or sooner, once it was looked whether something is wrong."""
        poller = zmq.Poller()
        for socket in sockets:
            poller.register(socket, zmq.POLLIN)
        full = [socket for socket, _ in poller.poll(left_ms(min(deadline, time.monotonic() + LOOK_S)))]
        if not full:
            self.look()
        return full

    def _read(self, socket: Socket) -> Received | None:
        if self._line is not None and socket is self._line.socket:
            self._hear_answer(self._line)
            return None
        data = socket.recv(zmq.NOBLOCK)
        self._heard = self._heard or socket is self._order[0]
        if READY.match(data):
            self._greeted(data)
            return None
        try:
            topic, message = decode(data)
            if not isinstance(message, Published):
                raise MessageError(f"{topic}: no message for a subscriber")
        except MessageError as error:
            self._complaints.add(str(error))
            return None
        if isinstance(message, Event):
            self._gaps.push(message)
            return None
        if isinstance(message, Meta) and not self._follows_events:
            self._gaps.see(message.run)
        return Received(topic, message)

    def _greeted(self, data: bytes) -> None:
        try:
            greeting = msgspec.msgpack.decode(data.partition(b"\0")[2], type=Greeting)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._complaints.add(f"a greeting that cannot be read: {error}")
            return
        self._gaps.announce(greeting.run, greeting.events)

    def _hear_answer(self, line: Line) -> None:
        try:
            answer = line.hear()
        except PublishError as error:
            self._complaints.add(str(error))
            return
        if isinstance(answer, Events):
            self._gaps.fill(answer)
            self._ask_due = self._settle_due = math.inf
        elif answer is not None:
            self._complaints.add(f"events were asked for again: {answer}")
            self._settle()
