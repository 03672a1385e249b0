"""Which of two detectors looks for faces.

The full-range one looks first: the short-range one, which FaceMesh comes with, loses a face that is narrower
than about a tenth of the picture (3 of the 5 faces of a group photograph were found). Where it
finds nobody, the short-range one has a look too: a face that fills the picture, as in clips that
are cut to the face, is often none to the full-range detector (of 30 it found 2, the other one all).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Range = Literal["short", "full"]


class Reach:
    """Remembers whether whoever is followed fills the picture; `still` takes every picture to be such a one."""

    def __init__(self, *, still: bool) -> None:
        self._still = still
        self._near, self._followed = False, 0

    @property
    def now(self) -> Range:
        """The detector for faces that are to be followed."""
        return "short" if self._near or self._still else "full"

    def count(self, look: Callable[[Range], int]) -> int:
        """How many faces a fresh look finds, where `look` counts those that one detector finds."""
        found = look("full")
        if self._followed:
            self._near = self._near and found <= self._followed
            return found
        self._near = not found and bool(found := look("short"))
        return found

    def follow(self, faces: int) -> None:
        """So many are followed now."""
        self._followed = faces

    def restart(self) -> None:
        """Nobody is followed, and nothing is known."""
        self._near, self._followed = False, 0
