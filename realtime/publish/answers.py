"""Answers the questions of other programs, in a thread of its own."""

from __future__ import annotations

from typing import Protocol

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import GlimpseError, MessageError
from realtime.publish.connection.address import address_of, port_of
from realtime.publish.connection.complaints import Complaints
from realtime.publish.connection.party import Party
from realtime.publish.connection.peers import Allowance
from realtime.publish.publisher import Publisher
from realtime.schema.asked import Question
from realtime.schema.message import Answer, Ask, AskEvents, Refused, decode, encode

#: Answers kept for an asker that does not read them, and questions of one that does not wait.
WAITING = 16
#: Bytes of a question, all of which are short.
LONGEST = 4096
#: Bytes that the system takes ahead of an asker, and of one whose questions are never whole: all that wait, many times.
AHEAD, UNREAD = 1 << 16, 1 << 20
TURN_MS = 50


class Desk(Protocol):
    """Who knows the answers."""

    def answer(self, question: Ask) -> Answer:
        """The answer, from the thread of `Answers`; a GlimpseError refuses with its text."""


class Answers(Party):
    """Answers each question: `AskEvents` from the publisher's log, all else from `desk`.

    One question of each asker is answered in turn, so that one that floods holds up nobody.
    """

    def __init__(self, publish: PublishConfig, publisher: Publisher, desk: Desk) -> None:
        super().__init__(publish)
        self._publisher = publisher
        self._desk = desk
        self._refused = Complaints()
        self._crowded = False  # more subscribers wait to be greeted
        allowance = Allowance(each=UNREAD, all=1_000_000 * publish.limits.unread_mb, ahead=AHEAD)
        self._socket = self._bind(zmq.ROUTER, "replay_port", waiting=WAITING, longest=LONGEST, allowance=allowance)
        self.address = address_of(self._socket)
        self.port = port_of(self.address)
        self._attend(self._socket, self._turn, "answers")

    @property
    def malformed(self) -> int:
        """How many messages were no question of this version."""
        return self._refused.count

    def _turn(self) -> None:
        if self._socket.poll(0 if self._crowded else TURN_MS):
            self._serve(self._receive(self._socket))
        self._crowded = self._publisher.greet()

    def _serve(self, parts: list[bytes]) -> None:
        """Answer a question: one frame, behind the sender's identity and the empty frame that a REQ puts there."""
        *envelope, data = parts
        if len(envelope) > 2 or any(envelope[1:]):
            self._refused.add("a question of several frames; wanted one")
            return
        self._socket.send_multipart([*envelope, self._answer(data)], zmq.NOBLOCK)

    def _answer(self, data: bytes) -> bytes:
        try:
            topic, question = decode(data)
            if not isinstance(question, Question):
                raise MessageError(f"{topic}: wanted a question, whose topic is `ask`")
        except MessageError as error:
            self._refused.add(str(error))
            return encode("answer", Refused(why=str(error)))
        return self._answer_to(question)

    def _answer_to(self, question: Ask) -> bytes:
        try:
            return encode("answer", msgspec.structs.replace(self._known(question), id=question.id))
        except GlimpseError as error:
            return encode("answer", Refused(id=question.id, why=str(error)))

    def _known(self, question: Ask) -> Answer:
        if isinstance(question, AskEvents):
            return self._publisher.log.after(question.since, question.run)
        return self._desk.answer(question)
