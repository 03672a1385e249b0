"""How much of a zip would be unpacked, before any of it is."""

from __future__ import annotations

import zipfile
from pathlib import Path


def excess(path: Path, most_bytes: int) -> str:
    """What is wrong with the size of the zip `path`, unpacked; empty where it is at most `most_bytes`."""
    with zipfile.ZipFile(path) as packed:  # which reads no more of a part than it states here
        size = sum(part.file_size for part in packed.infolist())
    return f"takes {size // 10**6} MB unpacked, at most {most_bytes // 10**6} are read" if size > most_bytes else ""
