"""Where results go: a folder for each file, whole or not there, and nothing of anybody else is ever overwritten."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import ConfigError

REPORT, ANNOTATED, EVENTS_JSON = "report.html", "annotated.mp4", "events.json"
#: All that is ever written into a folder of results: one that holds anything else is none of ours.
OURS = frozenset(
    {
        REPORT,
        ANNOTATED,
        EVENTS_JSON,
        *(f"{table}.{kind}" for table in ("events", "frames") for kind in ("csv", "parquet")),
    }
)


def folders(files: Sequence[Path], out: Path, *, overwrite: bool) -> list[Path]:
    """A folder within `out` for each file, called after it; ConfigError lists those that are there already."""
    taken: set[str] = set()
    found = [out / _free(file.absolute().stem or "video", taken) for file in files]
    there = [folder for folder in found if os.path.lexists(folder)]
    if there and not overwrite:
        named = ", ".join(map(str, there))
        raise ConfigError(f"{named}: there already; give --overwrite to replace these results, or another --out")
    if strange := [folder for folder in there if not _is_ours(folder)]:
        raise ConfigError(f"{strange[0]} holds more than results, and is not overwritten; give another --out")
    return found


def partial(folder: Path) -> Path:
    """Where `folder` is put together: beside it, hidden, its owner's alone."""
    return folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(6)}.part")


def placed(made: Path, folder: Path) -> None:
    """`made` becomes `folder`, in place of earlier results; OSError where it cannot."""
    if os.path.lexists(folder):
        earlier = partial(folder)
        folder.rename(earlier)
        made.rename(folder)
        shutil.rmtree(earlier)
    else:
        made.rename(folder)


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number where another file of this call has it."""
    number, free = 1, name
    while free.casefold() in taken:  # some file systems do not tell "A" from "a"
        number += 1
        free = f"{name}-{number}"
    taken.add(free.casefold())
    return free


def _is_ours(folder: Path) -> bool:
    """Whether all that lies there may have been written here."""
    return folder.is_dir() and not folder.is_symlink() and {path.name for path in folder.iterdir()} <= OURS
