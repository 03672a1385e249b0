"""Answers the questions of other programs, in a thread of its own."""

from __future__ import annotations

import logging
from typing import Protocol

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import GlimpseError, MessageError, PublishError
from realtime.publish.connection import private
from realtime.publish.connection.address import address_of, port_of
from realtime.publish.connection.complaints import Complaints
from realtime.publish.connection.party import Party, Socket
from realtime.publish.connection.peers import Allowance
from realtime.publish.publisher import Publisher
from realtime.schema.asked import Question
from realtime.schema.message import Answer, Ask, AskClock, AskEvents, Refused, decode, encode

log = logging.getLogger(__name__)

#: Answers kept for an asker that does not read them, and questions of one that does not wait.
WAITING = 16
#: Bytes of a question, all of which are short.
LONGEST = 4096
#: Bytes that the system takes ahead of an asker, and of one whose questions are never whole: all that wait, many times.
AHEAD, UNREAD = 1 << 16, 1 << 20
TURN_MS = 50
#: What anybody on this machine may ask where there are no keys: it says no more than what is published.
OPEN = AskEvents | AskClock


class Desk(Protocol):
    """Who knows the answers."""

    def answer(self, question: Ask) -> Answer:
        """The answer, from the thread of `Answers`; a GlimpseError refuses with its text."""


class Answers(Party):
    """Answers each question: `AskEvents` from the publisher's log, all else from `desk`.

    One question of each asker is answered in turn, so that one that floods holds up nobody. Without keys, pictures and
    how cameras are watched are for programs of the same user, who ask at a socket in publish.private.
    """

    def __init__(self, publish: PublishConfig, publisher: Publisher, desk: Desk) -> None:
        super().__init__(publish)
        self.private_address = ""  #: where programs of the same user ask; empty where there is no such place
        self._publisher = publisher
        self._desk = desk
        self._refused = Complaints()
        self._crowded = False  # more subscribers wait to be greeted
        allowance = Allowance(each=UNREAD, all=1_000_000 * publish.limits.unread_mb, ahead=AHEAD)
        self._socket = self._bind(zmq.ROUTER, "replay_port", waiting=WAITING, longest=LONGEST, allowance=allowance)
        self.address = address_of(self._socket)
        self.port = port_of(self.address)
        self._private = None if self._keys is not None or not private.possible() else self._open_private()
        if self._private is not None:
            self.private_address = address_of(self._private)
        self._closed_to_others = self._keys is None and private.possible()
        self._poller = zmq.Poller()
        for socket in self._doors:
            self._poller.register(socket, zmq.POLLIN)
        self._attend(self._doors, self._turn, "answers")

    @property
    def malformed(self) -> int:
        """How many messages were no question of this version."""
        return self._refused.count

    def close(self) -> None:
        if self.private_address and not self.closed:
            private.remove(self.private_address)  # ZeroMQ leaves it; first, lest it be that of the next one by then
        super().close()

    @property
    def _doors(self) -> tuple[Socket, ...]:
        return (self._socket,) if self._private is None else (self._socket, self._private)

    def _open_private(self) -> Socket | None:
        """The socket for programs of the same user; without it they have to have keys."""
        socket = self._open(zmq.ROUTER, waiting=WAITING)
        socket.set(zmq.MAXMSGSIZE, LONGEST)
        try:
            socket.bind(private.beside(self._publish.private, self.address))
            private.sweep(self._publish.private)
        except (PublishError, zmq.ZMQError) as error:
            log.warning("no pictures are given to the page, unless it has keys (publish.keys): %s", error)
            self._sockets.remove(socket)
            socket.close()
            return None
        return socket

    def _turn(self) -> None:
        for socket, _ in self._poller.poll(0 if self._crowded else TURN_MS):
            if socket is self._socket:
                self._serve(socket, self._receive(socket), closed=self._closed_to_others)
            else:
                self._serve(socket, socket.recv_multipart(), closed=False)
        self._crowded = self._publisher.greet()

    def _serve(self, socket: Socket, parts: list[bytes], *, closed: bool) -> None:
        """Answer a question: one frame, behind the sender's identity and the empty frame that a REQ puts there."""
        *envelope, data = parts
        if len(envelope) > 2 or any(envelope[1:]):
            self._refused.add("a question of several frames; wanted one")
            return
        socket.send_multipart([*envelope, self._answer(data, closed=closed)], zmq.NOBLOCK)

    def _answer(self, data: bytes, *, closed: bool) -> bytes:
        try:
            topic, question = decode(data)
            if not isinstance(question, Question):
                raise MessageError(f"{topic}: wanted a question, whose topic is `ask`")
        except MessageError as error:
            self._refused.add(str(error))
            return encode("answer", Refused(why=str(error)))
        if closed and not isinstance(question, OPEN):
            return encode("answer", Refused(id=question.id, why=self._why_closed()))
        return self._answer_to(question)

    def _why_closed(self) -> str:
        return (
            "pictures, and how cameras are watched, are for programs of the user of this Glimpse, which ask at a "
            f"socket in {self._publish.private} (publish.private), or for those that it gave keys to (publish.keys)"
        )

    def _answer_to(self, question: Ask) -> bytes:
        try:
            return encode("answer", msgspec.structs.replace(self._known(question), id=question.id))
        except GlimpseError as error:
            return encode("answer", Refused(id=question.id, why=str(error)))

    def _known(self, question: Ask) -> Answer:
        if isinstance(question, AskEvents):
            return self._publisher.log.after(question.since, question.run)
        return self._desk.answer(question)
