"""Which code made something."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit(repository: Path) -> str:
    """The commit of Glimpse's code, "+changes" appended when code differs from it; "unknown" outside its repository."""
    try:
        found = _git(repository, "rev-parse", "--show-toplevel", "HEAD")
        # Other packages may be new beside this one: only code counts as a change.
        changes = _git(repository, "status", "--porcelain", "--", "realtime", "train", "configs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    top, head = found.splitlines()
    if Path(top).resolve() != repository.resolve():
        return "unknown"  # Glimpse is installed somewhere inside another repository
    return f"{head}+changes" if changes else head


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, check=True).stdout
