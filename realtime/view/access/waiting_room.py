"""Who may come in: so many places, and a line before them in which nobody is passed by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Entrant(Protocol):
    """Somebody who wants a place."""

    heard: float  #: when the entrant last said anything, on the monotonic clock

    def admit(self) -> None:
        """There is a place for you."""

    def wait(self, ahead: int, why: str) -> None:
        """There is none; `ahead` others come before you."""


class WaitingRoom:
    """`places` entrants at once. One who has been silent for `idle_s` makes room, once somebody waits for it."""

    def __init__(self, places: int, idle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.inside: list[Entrant] = []
        self.waiting: list[Entrant] = []
        self._places = places
        self._idle_s = idle_s
        self._clock = clock

    def come(self, entrant: Entrant) -> None:
        """Give `entrant` a place, or one in the line."""
        self.waiting.append(entrant)
        self._move()
        if entrant in self.waiting:
            self._tell(entrant)

    def go(self, entrant: Entrant) -> None:
        """Forget `entrant`; the first in the line takes the place."""
        for where in (self.inside, self.waiting):
            if entrant in where:
                where.remove(entrant)
        self._move()
        self._tell(*self.waiting)

    def check(self) -> None:
        """Let those who are idle make room for those who wait; called a few times a second."""
        now = self._clock()
        idle = [entrant for entrant in self.inside if now - entrant.heard > self._idle_s][: len(self.waiting)]
        if idle:
            self.inside = [entrant for entrant in self.inside if entrant not in idle]
            self.waiting += idle
            self._move()
            self._tell(*self.waiting)

    def _move(self) -> None:
        free = self._places - len(self.inside)
        admitted, self.waiting = self.waiting[:free], self.waiting[free:]
        self.inside += admitted
        for entrant in admitted:
            entrant.heard = self._clock()
            entrant.admit()

    def _tell(self, *entrants: Entrant) -> None:
        why = (
            f"{len(self.inside)} of {self._places} places are taken; you are let in as soon as one is free, "
            f"or its visitor has been silent for {self._idle_s:.0f} s."
        )
        for entrant in entrants:
            entrant.wait(self.waiting.index(entrant), why)
