"""What one visitor asks of the recogniser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from realtime.schema.message import Answer, Ask, AskMoment, AskNeutral, Done, MomentPictures, Refused
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.visit.problems import Problems
from realtime.view.visit.protocol import encode, encode_moment
from realtime.view.visit.send_queue import SendQueue

#: Questions of one visitor that may be under way: all are answered one after another, those of others as well.
MOST_ASKED = 2

A = TypeVar("A", Done, MomentPictures)


class Questions:
    """A few at a time; answers go into `queue`, refusals to `problems`. Calibrating takes `calibrate_s`."""

    def __init__(self, asker: AsyncAsker, queue: SendQueue, problems: Problems, calibrate_s: float) -> None:
        self._asker, self._queue, self._problems = asker, queue, problems
        self._calibrate_s = calibrate_s
        self._asked = 0  # under way

    def neutral(self, camera: str) -> None:
        """Have `camera` calibrated: its faces are neutral now."""
        self._ask(AskNeutral(camera=camera), Done, lambda _: encode("calibrating", seconds=self._calibrate_s))

    def moment(self, camera: str, event: int) -> None:
        """Have the pictures of an event shown."""
        self._ask(AskMoment(camera=camera, event=event), MomentPictures, partial(encode_moment, event))

    def _ask(self, question: Ask, wanted: type[A], text: Callable[[A], str]) -> None:
        def told(answer: Answer) -> None:
            self._asked -= 1
            if isinstance(answer, wanted):
                self._queue.put(text(answer))
            elif isinstance(answer, Refused):
                self._problems.refuse(answer.why)

        if self._asked >= MOST_ASKED:
            self._problems.report("too-fast", f"{MOST_ASKED} questions wait for an answer; ask again when they have it")
        else:
            self._asked += 1
            self._asker.then(question, told)
