"""What others sent that could not be used: counted always, told once."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

#: Garbage differs each time: that many kinds are told, the rest is counted.
MOST_TOLD = 20


class Complaints:
    """Counts what was left out, and logs each complaint once, not sixty times a second."""

    def __init__(self) -> None:
        self.count = 0
        self._told: set[str] = set()

    def add(self, complaint: str) -> None:
        """Count one, and log it if it is new."""
        self.count += 1
        if complaint not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(complaint)
            log.warning("left out: %s", complaint)
