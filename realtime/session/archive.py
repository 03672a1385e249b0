"""A session as one zip file, to be taken elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

from realtime.errors import SessionError
from realtime.session import layout
from realtime.session.read import read

#: Already compressed.
PICTURES = {".jpg", ".mjpeg"}


def archive(folder: Path, target: Path) -> Path:
    """Write the session in `folder` to `target`, for its owner alone; SessionError where that cannot be.

    A session that still goes on is taken as far as it has come.
    """
    name = read(folder).folder.resolve().name
    unfinished = target.with_name(target.name + ".part")
    try:
        with layout.create_private(unfinished) as file, zipfile.ZipFile(file, "w") as bundle:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                packing = zipfile.ZIP_STORED if path.suffix in PICTURES else zipfile.ZIP_DEFLATED
                bundle.write(path, f"{name}/{path.relative_to(folder)}", packing)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SessionError(f"{target} cannot be written: {error}; give another place") from None
    return target
