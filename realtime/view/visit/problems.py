"""What goes wrong, as one browser is told it."""

from __future__ import annotations

import time

from realtime.view.upstream.camera_names import hide_others
from realtime.view.visit.protocol import Problem, encode_problem
from realtime.view.visit.send_queue import SendQueue

#: The same kind of problem is reported so often at most; what it is about is counted each time.
AGAIN_S = 1.0


class Problems:
    """Goes into `queue`, without the name of any browser's camera but the visitor's `own`."""

    def __init__(self, queue: SendQueue, own: str) -> None:
        self._queue, self._own = queue, own
        self._reported: dict[str, float] = {}  # when each kind was last, on the monotonic clock

    def report(self, what: Problem, text: str) -> None:
        """Tell the browser, unless it was told of this kind a moment ago."""
        now = time.monotonic()
        if now - self._reported.get(what, -AGAIN_S) >= AGAIN_S:
            self._reported[what] = now
            self.tell(what, text)

    def refuse(self, why: str) -> None:
        """Report that something was not done."""
        self.report("refused", why)

    def tell(self, what: Problem, text: str) -> None:
        """Tell the browser, whatever it was told before."""
        self._queue.put(encode_problem(what, hide_others(text, self._own)))
