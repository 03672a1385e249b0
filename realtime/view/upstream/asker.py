"""Questions to the recogniser, asked from the page's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from realtime.config import PublishConfig
from realtime.errors import GlimpseError
from realtime.publish import Asker
from realtime.schema.message import Answer, Ask, Refused

#: Longest wait for an answer: an event's pictures are magnified while one waits.
ANSWER_S = 3.0


class AsyncAsker:
    """One after another, in a thread that may wait; what hangs holds up those behind it, and nobody else.

    No answer in time is Refused too.
    """

    def __init__(self, publish: PublishConfig) -> None:
        self._publish = publish
        self._asker: Asker | None = None
        self._thread = ThreadPoolExecutor(1, "page-ask")
        self._tasks: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish

    async def ask(self, question: Ask, timeout_s: float = ANSWER_S) -> Answer:
        """What the recogniser says."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question, timeout_s)

    def then(self, question: Ask, told: Callable[[Answer], None]) -> None:
        """Ask, and call `told` with the answer some time later."""

        async def ask() -> None:
            told(await self.ask(question))

        task = asyncio.get_running_loop().create_task(ask())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Hang up, once the question that waits is answered."""
        self._thread.submit(self._hang_up)
        self._thread.shutdown(wait=False)

    def _ask(self, question: Ask, timeout_s: float) -> Answer:
        try:
            if self._asker is None:  # here, since a socket belongs to the thread that made it
                self._asker = Asker(self._publish, privately=True)
            return self._asker.ask(question, timeout_s)
        except GlimpseError as error:
            return Refused(why=str(error))

    def _hang_up(self) -> None:
        if self._asker is not None:
            self._asker.close()
