"""A session as one zip file, to be taken elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
import zipfile
from pathlib import Path
from typing import BinaryIO

from realtime.errors import SessionError
from realtime.session import layout
from realtime.session.read import Session, read
from realtime.session.regular import has_regular, open_regular, replaced
from realtime.session.tables.export import export
from realtime.session.tables.rows import EVENTS

TABLE = f"{EVENTS}.csv"
#: Already compressed.
PICTURES = {".jpg", ".mjpeg", ".webp"}


def archive(folder: Path, target: Path) -> Path:
    """Write the session in `folder`, and its events as CSV, to `target`, for its owner alone; SessionError if not.

    A session that still goes on is taken as far as it has come; one with a link in it is refused.
    """
    session = read(folder)
    name = session.folder.resolve().name
    try:
        with replaced(target, layout.PRIVATE_FILE) as beside, zipfile.ZipFile(beside, "w") as bundle:
            for within in _files(folder, but=beside):
                with open_regular(folder, within) as file:
                    _add(bundle, f"{name}/{within}", file)
            if not has_regular(folder, TABLE):
                _add_table(bundle, name, session)
    except OSError as error:
        raise SessionError(f"{target} cannot be written: {error}; give another place") from None
    return target


def _add_table(bundle: zipfile.ZipFile, name: str, session: Session) -> None:
    """A row an event, for whoever has no Glimpse."""
    with tempfile.TemporaryDirectory(prefix="glimpse-") as beside:
        export(session, "csv", Path(beside), {EVENTS: EVENTS})
        with open_regular(Path(beside), TABLE) as file:
            _add(bundle, f"{name}/{TABLE}", file)


def _files(folder: Path, *, but: Path) -> list[str]:
    """What lies in `folder`, by its path there, whatever it is; folders are gone through, never by a link."""
    found = []
    for at, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]
        found += [Path(at, name).relative_to(folder).as_posix() for name in [*files, *links] if Path(at, name) != but]
    return sorted(found)


def _add(bundle: zipfile.ZipFile, name: str, file: BinaryIO) -> None:
    changed = time.localtime(os.fstat(file.fileno()).st_mtime)
    part = zipfile.ZipInfo(name, (max(changed.tm_year, 1980), *changed[1:6]))  # before which a zip has no dates
    part.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PICTURES else zipfile.ZIP_DEFLATED
    part.external_attr = (stat.S_IFREG | layout.PRIVATE_FILE) << 16
    with bundle.open(part, "w", force_zip64=True) as into:
        shutil.copyfileobj(file, into, 1 << 20)
