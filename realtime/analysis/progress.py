"""How far all files are together, and for how long it goes on: a bar in a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from realtime.session.report.timeline import clock

#: Between two looks of the bar, and two lines where there is no terminal.
BAR_S, LINE_S = 0.2, 5.0
WIDTH = 30
#: Before so much is done, what is left can only be guessed.
LEAST_SHARE = 0.02


class FileProgress:
    """`tell` takes the share of a file; they count by `sizes`, since how long one plays is known once it is open."""

    def __init__(self, names: Sequence[str], sizes: Sequence[float], out: TextIO | None = None) -> None:
        self._names, self._sizes = names, [max(size, 1.0) for size in sizes]
        self._out = sys.stderr if out is None else out
        self._shares = [0.0] * len(names)
        self._began = time.monotonic()
        self._bar = self._out.isatty()
        self._due = self._began if self._bar else self._began + LINE_S
        self._drawn = 0  # letters of the bar

    @property
    def share(self) -> float:
        """Of all, 0..1."""
        done = sum(share * size for share, size in zip(self._shares, self._sizes, strict=True))
        return done / sum(self._sizes)

    def tell(self, number: int, share: float) -> None:
        """File `number` is so far."""
        self._shares[number] = max(share, self._shares[number])
        now = time.monotonic()
        if now >= self._due:
            self._due = now + (BAR_S if self._bar else LINE_S)
            self._say(self.line(now))

    def line(self, now: float) -> str:
        """Such as "43 %, 1:12 left: a.mp4, b.mp4"."""
        left = "" if self.share < LEAST_SHARE else f", {clock((now - self._began) * (1 / self.share - 1))} left"
        busy = [name for name, share in zip(self._names, self._shares, strict=True) if 0.0 < share < 1.0]
        return f"{self.share:4.0%}{left}{': ' if busy else ''}{', '.join(busy)}".replace("%", " %")

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._out.write("\r" + " " * self._drawn + "\r")
            self._out.flush()

    def _say(self, line: str) -> None:
        if not self._bar:
            print(line.strip(), file=self._out, flush=True)
            return
        full = round(WIDTH * self.share)
        shown = f"[{'#' * full}{'.' * (WIDTH - full)}] {line}"[:119]
        self._out.write("\r" + shown.ljust(self._drawn))
        self._out.flush()
        self._drawn = len(shown)

    def __enter__(self) -> FileProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
