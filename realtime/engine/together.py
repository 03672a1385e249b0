"""One engine for several threads: what waits while it is busy goes through it as one batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from realtime.engine.fit import require_fit
from realtime.records import Floats

if TYPE_CHECKING:
    from realtime.engine import Engine


@dataclass(slots=True, eq=False)
class _Asked:
    """The rows of one caller, and what became of them."""

    inputs: Mapping[str, Floats]
    rows: int
    answers: dict[str, Floats] | None = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Together:
    """Many cameras' engine. Whoever finds it free takes along all that wait, so nobody waits for more than one turn.

    An answer is that of the engine for the same rows; only how many go through at once depends on who else asks. An
    engine that fails fails all who went through together.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._waiting: deque[_Asked] = deque()
        self.manifest = engine.manifest

    @property
    def precision(self) -> str:
        return self._engine.precision

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def fallback(self) -> str | None:
        return self._engine.fallback

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """As `Engine.run`, from any thread."""
        asked = _Asked(inputs, require_fit(inputs, self.manifest))
        self._waiting.append(asked)
        with self._turn:
            if not asked.done.is_set():
                self._answer([self._waiting.popleft() for _ in range(len(self._waiting))])
        if asked.error is not None:
            raise asked.error
        assert asked.answers is not None
        return asked.answers

    def _answer(self, waiting: list[_Asked]) -> None:
        try:
            batch = {name: _joined([asked.inputs[name] for asked in waiting]) for name in waiting[0].inputs}
            answers, begin = self._engine.run(batch), 0
            for asked in waiting:
                rows = slice(begin, begin + asked.rows)
                asked.answers = {name: array[rows] for name, array in answers.items()}
                begin += asked.rows
        except BaseException as error:  # noqa: BLE001 - it is raised where the rows come from
            for asked in waiting:
                asked.error = error
        finally:
            for asked in waiting:
                asked.done.set()


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
