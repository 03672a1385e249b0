"""Publishes a session again, when it was published then."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from realtime.errors import SessionError
from realtime.publish import Outlet
from realtime.schema.message import Event, Meta, Published, State
from realtime.session.laps import FIRST, Lap, laps
from realtime.session.read import Session


class Replay:
    """Sends the messages of `session`, whose events are numbered anew; `told` is called with each event.

    Each message is due so long after the first as it was then, divided by `speed`: a late one makes no other late.
    """

    def __init__(
        self,
        session: Session,
        outlet: Outlet,
        *,
        speed: float = 1.0,
        repeat: bool = False,
        told: Callable[[Event], None] | None = None,
    ) -> None:
        self.showing: tuple[Lap, int] = (FIRST, -1)  #: lap, and frame in the recording, of the session's own camera
        self._session = session
        self._outlet = outlet
        self._speed = speed
        self._repeat = repeat
        self._told = told
        self._cameras: dict[str, tuple[float, float]] = {}
        self._stop = threading.Event()

    def run(self, seconds: float | None = None) -> int:
        """Play to the end, for `seconds`, or until `stop`; how many were sent. SessionError if there is no message."""
        began, sent = time.monotonic(), 0
        until = math.inf if seconds is None else began + seconds
        for lap, record in laps(self._session, repeat=self._repeat):
            due = began + record.at_s / self._speed
            if self._stop.wait(max(0.0, min(due, until) - time.monotonic())) or due > until:
                return sent
            if isinstance(record.message, State) and record.message.camera == self._session.header.camera:
                self.showing = (lap, record.message.frame)
            self._send(lap.of(record.message))
            sent += 1
        if not sent:
            raise SessionError(f"{self._session.folder} holds no message: it was ended before the first one")
        return sent

    def stop(self) -> None:
        """End at once."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def clocks(self) -> dict[str, float]:
        """What time it is now on the clock of each camera that was heard so far."""
        now = time.monotonic()
        return {name: t + (now - then) * self._speed for name, (t, then) in self._cameras.copy().items()}

    def _send(self, message: Published) -> None:
        self._cameras[message.camera] = (message.t, time.monotonic())
        match message:
            case State():
                self._outlet.state(message)
            case Meta():
                self._outlet.meta(message)
            case Event():
                numbered = self._outlet.event(message)
                if self._told:
                    self._told(numbered)
