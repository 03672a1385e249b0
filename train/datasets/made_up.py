"""The mark of a tree that lies on disk as a licensed data set does and holds nobody's recordings.

Whatever is told of its clips has to say so: they are learned from and scored as recorded ones are, and are easier.
"""

from __future__ import annotations

from pathlib import Path

MARK = "MADE-UP.txt"
TEXT = (
    "These clips are made up: faces of still pictures, moved by scripted action units, in the layout of a data set\n"
    "that has a licence. No score on them says anything of that data set.\n"
)


def mark(root: Path) -> None:
    """Say in `root`, which is there, that its clips are made up."""
    (root / MARK).write_text(TEXT, "utf-8")


def is_made_up(root: Path) -> bool:
    """Whether somebody said so."""
    return (root / MARK).exists()
