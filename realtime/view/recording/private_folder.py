"""The page's folders for recordings and the like, which nobody else may open; the next page removes a killed one's."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

import psutil

from realtime.errors import SessionError

log = logging.getLogger(__name__)

PREFIX = "glimpse-page-"


def make_folder() -> Path:
    """A new one, of mode 0700; SessionError where there can be none."""
    process = psutil.Process()
    # Both name the process beyond doubt: numbers are given again, but not at the same second.
    prefix = f"{PREFIX}{process.pid}-{process.create_time():.0f}-"
    try:
        return Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        raise SessionError(f"no temporary folder can be made: {error}; make room, or set TMPDIR") from None


def sweep() -> None:
    """Remove what a page that was killed could not."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not folder.is_symlink() and _is_abandoned(folder.name):
            log.warning("removing the recordings that a page left behind when it was killed: %s", folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(name: str) -> bool:
    number, began, *_ = [*name.removeprefix(PREFIX).split("-"), "", ""]
    if not (number.isdecimal() and began.isdecimal()):
        return False
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(began)) > 1.0)
    except psutil.NoSuchProcess:
        return True
