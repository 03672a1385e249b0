"""The clocks: events are timed by one that only goes forward, and compared with other machines' by the time of day."""

from __future__ import annotations

import ctypes
import sys
import time
from itertools import pairwise

from realtime.doctor.finding import Finding

#: Of two stamps: a hundredth of the shortest time between frames that counts.
FINE_S = 1e-4
#: No computer that runs this has its battery's default any more.
OLDEST_UNIX_S = 1_735_689_600.0  # 2025
#: adjtimex(2) says so where nobody keeps the clock right.
UNSYNCHRONISED = 5


def clock() -> Finding:
    """Findings on both clocks of this machine."""
    return judge_clock(step_s(), time.time(), synchronised())


def step_s() -> float:
    """The longest of a thousand steps that the monotonic clock takes; negative where it goes back."""
    stamps = [time.monotonic() for _ in range(1000)]
    steps = [after - before for before, after in pairwise(stamps)]
    moved = sorted(step for step in steps if step)
    return min(steps) if min(steps) < 0.0 else moved[len(moved) // 2] if moved else 1.0


def synchronised() -> bool | None:
    """Whether something keeps the time of day right, such as NTP; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # a struct timex of zeros asks only
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != UNSYNCHRONISED)


def judge_clock(step_s: float, unix_s: float, kept: bool | None) -> Finding:
    """`step_s` is how finely the monotonic clock tells, `kept` whether the time of day is kept right."""
    if step_s < 0.0:
        return Finding(
            "clock", "stop", "the monotonic clock goes back", "restart; a virtual machine wants another clock"
        )
    if step_s > FINE_S:
        found = f"the monotonic clock steps by {1e3 * step_s:.1f} ms"
        return Finding("clock", "look", found, "events are timed as coarsely as that")
    if unix_s < OLDEST_UNIX_S:
        return Finding("clock", "look", "the time of day is before 2025", "set it: sessions would have wrong dates")
    if kept is False:
        todo = "timedatectl set-ntp true; until then times of two machines cannot be compared"
        return Finding("clock", "look", "fine enough, but nothing keeps the time of day right", todo)
    return Finding("clock", "ok", f"steps of {1e6 * step_s:.1f} us{', kept right' if kept else ''}")
