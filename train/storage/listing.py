"""Long lists of problems in a message: the first few say what is wrong, the rest how often."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 8


def first(problems: Sequence[str]) -> list[str]:
    """The first of `problems`, and how many more there are."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
