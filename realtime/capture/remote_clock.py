"""The clock of a camera elsewhere, which may leap or lie, as seconds since its first picture."""

from __future__ import annotations

import logging
import math

log = logging.getLogger(__name__)

#: A picture that overtook another is left out; when all that came for so long are older, the clock was set back.
BEHIND_S = 1.0
#: Numbers of seconds beyond this tell no frame from the next: 0.1 ms, the last that a float tells there.
COARSE_S = 1e12


class CameraClock:
    """Believes the camera, whose stamps are better than arrivals, until they differ by more than `leap_s` in a step.

    Then its times go on from when its pictures arrive, and it is believed anew from there.
    """

    def __init__(self, camera: str, leap_s: float) -> None:
        self._camera, self._leap_s = camera, leap_s
        self._start = math.nan  # the camera's time that counts as 0
        self._last: tuple[float, float] | None = None  # ours of the newest picture that counted, and its arrival
        self._told = False

    def time(self, stamp: float, arrived_s: float) -> float | None:
        """Time of a picture that arrived at `arrived_s` on the monotonic clock; None for one that is not newer."""
        if self._last is None:
            self._start, self._last = stamp, (0.0, arrived_s)
            return 0.0
        newest, before_s = self._last
        t, due = stamp - self._start, newest + arrived_s - before_s
        astray = abs(stamp) > COARSE_S or abs(t - due) > self._leap_s
        if astray or (t <= newest and due - newest > BEHIND_S):
            self._tell(t, due)
            self._start, t = stamp - due, due
        if t <= newest:
            return None
        self._last = t, arrived_s
        return t

    def _tell(self, t: float, due: float) -> None:
        level = logging.DEBUG if self._told else logging.WARNING
        self._told = True
        log.log(
            level,
            "camera %s: its clock says %.6g s where %.3f s were due; its times go on as its pictures arrive",
            self._camera, t, due,
        )  # fmt: skip
