"""Which threads of this process compute, and which wait for a core: as Linux counts them, in nanoseconds.

What a stage waits for beside a core is Python's lock, or a library that computes in threads of its own.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

TASKS = Path("/proc/self/task")


class Use(NamedTuple):
    """Of one thread since it began, in seconds."""

    cpu: float
    waited: float  #: for a core, while others had them all


class ThreadCost(msgspec.Struct, frozen=True, kw_only=True):
    """Of all threads of one name, for each frame."""

    name: str
    cpu_ms: float
    core_wait_ms: float


class Snapshot(NamedTuple):
    """What all threads have used up to now; none where the system does not say."""

    cpu_s: float  #: of the whole process
    by_thread: Mapping[tuple[int, str], Use]  #: number and name


def snapshot(tasks: Path = TASKS) -> Snapshot:
    """Now. A thread has the name that Python gave it, or else the one that its library did."""
    ours = {thread.native_id: thread.name for thread in threading.enumerate()}
    found = {}
    for task in tasks.glob("*"):
        try:
            cpu, waited, _ = (task / "schedstat").read_text().split()
            name = ours.get(int(task.name)) or (task / "comm").read_text().strip()
        except (OSError, ValueError):  # it has just ended, or is of a system that counts otherwise
            continue
        found[int(task.name), name] = Use(int(cpu) / 1e9, int(waited) / 1e9)
    return Snapshot(time.process_time(), found)


def costs(before: Snapshot, after: Snapshot, frames: int) -> list[ThreadCost]:
    """What was used between two snapshots, a frame, the busiest name first; names that did nothing are left out."""
    cpu, waited = defaultdict[str, float](float), defaultdict[str, float](float)
    for key, now in after.by_thread.items():
        then = before.by_thread.get(key, Use(0.0, 0.0))
        cpu[key[1]] += now.cpu - then.cpu
        waited[key[1]] += now.waited - then.waited
    each = 1e3 / max(frames, 1)
    made = [
        ThreadCost(name=name, cpu_ms=round(cpu[name] * each, 3), core_wait_ms=round(waited[name] * each, 3))
        for name in sorted(cpu, key=cpu.__getitem__, reverse=True)
    ]
    return [cost for cost in made if cost.cpu_ms > 0.0]
