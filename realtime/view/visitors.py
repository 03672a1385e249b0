"""Who may come in: so many places, and a line before them in which nobody is passed by."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Protocol

from realtime.view.link import VISITOR


def unguessable() -> str:
    """A name for a visitor's camera."""
    return VISITOR + secrets.token_hex(8)


class Guest(Protocol):
    """Somebody who wants a place."""

    heard: float  #: when the guest last said anything, on the monotonic clock

    def admit(self) -> None:
        """There is a place for you."""

    def wait(self, ahead: int, why: str) -> None:
        """There is none; `ahead` others come before you."""


class Visitors:
    """`places` guests at once. One who has been silent for `idle_s` makes room, once somebody waits for it."""

    def __init__(self, places: int, idle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.inside: list[Guest] = []
        self.waiting: list[Guest] = []
        self._places = places
        self._idle_s = idle_s
        self._clock = clock

    def come(self, guest: Guest) -> None:
        """Give `guest` a place, or one in the line."""
        self.waiting.append(guest)
        self._move()
        if guest in self.waiting:
            self._tell(guest)

    def go(self, guest: Guest) -> None:
        """Forget `guest`; the first in the line takes the place."""
        for where in (self.inside, self.waiting):
            if guest in where:
                where.remove(guest)
        self._move()
        self._tell(*self.waiting)

    def check(self) -> None:
        """Let those who are idle make room for those who wait; called a few times a second."""
        now = self._clock()
        idle = [guest for guest in self.inside if now - guest.heard > self._idle_s][: len(self.waiting)]
        if idle:
            self.inside = [guest for guest in self.inside if guest not in idle]
            self.waiting += idle
            self._move()
            self._tell(*self.waiting)

    def _move(self) -> None:
        free = self._places - len(self.inside)
        admitted, self.waiting = self.waiting[:free], self.waiting[free:]
        self.inside += admitted
        for guest in admitted:
            guest.heard = self._clock()
            guest.admit()

    def _tell(self, *guests: Guest) -> None:
        why = (
            f"{len(self.inside)} of {self._places} places are taken; you are let in as soon as one is free, "
            f"or its visitor has been silent for {self._idle_s:.0f} s"
        )
        for guest in guests:
            guest.wait(self.waiting.index(guest), why)
