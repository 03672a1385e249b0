"""Asks a running Glimpse."""

from __future__ import annotations

import time

import msgspec
import zmq

from realtime.config import PublishConfig
from realtime.errors import MessageError, PublishError
from realtime.publish.connection.party import Party, Socket
from realtime.publish.connection.wait import left_ms
from realtime.schema.asked import Reply
from realtime.schema.message import Answer, Ask, decode, encode

#: Answers that came too late and wait to be skipped.
WAITING = 16


class Line:
    """One question after the other over a DEALER; what answers an earlier one comes too late, and is skipped."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._id = 0
        self._said = b""

    def say(self, question: Ask) -> bool:
        """Send `question`, or say False at once where nobody is there now."""
        self._id += 1
        self._said = encode("ask", msgspec.structs.replace(question, id=self._id))
        return self.repeat()

    def repeat(self) -> bool:
        """Send the last question again, under its number, so that any answer to it will do; False as `say`."""
        try:
            self.socket.send(self._said, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def hear(self) -> Answer | None:
        """The answer to the last question, if it is there; PublishError for one that cannot be read."""
        while self.socket.poll(0):
            answer = _read(self.socket.recv_multipart(zmq.NOBLOCK)[-1])
            if answer.id in (self._id, 0):  # a question that could not be read is refused without its number
                return answer
        return None


class Asker(Party):
    """Asks and waits for the answer, from one thread; it may come before the Glimpse that answers and outlive it.

    Where there are no keys, pictures are given to those alone who ask `privately`, as the user of that Glimpse.
    """

    def __init__(self, publish: PublishConfig, *, privately: bool = False) -> None:
        super().__init__(publish, privately=privately)
        self._line = Line(self._connect(zmq.DEALER, "replay_port", waiting=WAITING, IMMEDIATE=1))

    def ask(self, question: Ask, timeout_s: float) -> Answer:
        """The answer, which may be `Refused`; PublishError, with what to do, where none comes in time."""
        deadline = time.monotonic() + timeout_s
        if self._line.socket.poll(left_ms(deadline), zmq.POLLOUT) and self._line.say(question):
            while self._line.socket.poll(left_ms(deadline)):
                if (answer := self._line.hear()) is not None:
                    return answer
        raise PublishError(
            f"no answer from {self._publish.host}:{self._publish.replay_port} (publish.replay_port) within "
            f"{timeout_s:g} s: {self.look() or 'is Glimpse running there?'}"
        )


def _read(data: bytes) -> Answer:
    try:
        topic, answer = decode(data)
    except MessageError as error:
        raise PublishError(f"an answer that cannot be read: {error}") from None
    if not isinstance(answer, Reply):
        raise PublishError(f"{topic}: no answer; does another program use this port (publish.replay_port)?")
    return answer
