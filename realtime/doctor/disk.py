"""The disk: room for recordings, temporary files and plans, in folders that can be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from realtime.config import Config
from realtime.doctor.finding import Finding

#: An hour of messages with landmarks takes as much; with pictures four times that.
LEAST_MB = 1000.0


def disk(config: Config) -> Finding:
    """What is free here, where sessions go, in the folder of temporary files, where the page's go, and in the cache."""
    places = {
        "here": Path.cwd(),
        "temporary files": Path(tempfile.gettempdir()),
        "engines.cache": existing(Path(config.engines.cache).expanduser()),
    }
    return judge_disk({what: free_mb(path) for what, path in places.items()})


def existing(path: Path) -> Path:
    """The nearest folder above that is there, in which the rest would be made."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.is_dir())


def free_mb(folder: Path) -> float | None:
    """Room in MB (10^6 bytes) for this user; None where nothing can be written."""
    return shutil.disk_usage(folder).free / 1e6 if os.access(folder, os.W_OK | os.X_OK) else None


def judge_disk(free: Mapping[str, float | None]) -> Finding:
    """Of each place what is free in MB, None where it cannot be written. Nothing of it stops a live stream."""
    shown = ", ".join(f"{what} {'not writable' if mb is None else f'{mb / 1000:.1f} GB'}" for what, mb in free.items())
    if any(mb is None for mb in free.values()):
        return Finding("disk", "look", shown, "what is kept there fails: work in a folder of your own")
    if any(mb is not None and mb < LEAST_MB for mb in free.values()):
        return Finding("disk", "look", shown, "recordings will end early; make room, or record elsewhere")
    return Finding("disk", "ok", f"free: {shown}")
