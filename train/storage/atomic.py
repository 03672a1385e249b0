"""Files and folders that appear under their names whole or not at all, however a run ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def writing(target: Path) -> Iterator[BinaryIO]:
    """A temporary file, moved to `target` when it is whole, so that a killed run leaves no half one under its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def move(made: Path, folder: Path, aside: Path) -> None:
    """Put the folder `made` in the place of `folder`; whatever is raised in between, the old one comes back.

    `aside` is where the old one goes, on the same disk; its owner removes it.
    """
    if not folder.exists():
        made.rename(folder)
        return
    try:
        folder.rename(aside)
        made.rename(folder)
    finally:
        if not folder.exists():
            aside.rename(folder)
