"""One engine for several threads: what waits while it is busy goes through it as one batch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from realtime.engine.engine import Engine
from realtime.engine.package.fit import require_fit
from realtime.records import Floats


@dataclass(slots=True, eq=False)
class _Asked:
    """The rows of one caller, and what became of them."""

    inputs: Mapping[str, Floats]
    rows: int
    answers: dict[str, Floats] | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.answers is not None or self.error is not None


class Together:
    """Many cameras' engine. Whoever finds it free takes along all that wait.

    An answer is that of the engine for the same rows; only how many go through at once depends on who else asks. An
    engine that fails fails all who went through together.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()  # of what follows
        self._waiting: list[_Asked] = []
        self._busy = False
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
        with self._changed:
            self._waiting.append(asked)
            self._changed.wait_for(lambda: asked.done or not self._busy)
            batch = [] if asked.done else self._waiting
            if batch:
                self._busy, self._waiting = True, []
        if batch:
            self._answer(batch)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
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


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
