"""The cameras that Linux knows: nodes /dev/videoN, found by number, by path or by the camera's name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from realtime.errors import SourceError

#: Linux lists them here, each as videoN/name; other systems have no such folder, and their cameras only numbers.
CAMERAS = Path("/sys/class/video4linux")

_NUMBERED = re.compile(r"(?:/dev/video)?([0-9]+)")


def numbered(spec: str) -> int | None:
    """N of "N", "/dev/videoN", or a link to it such as those in /dev/v4l/by-id; None of anything else."""
    linked = os.path.realpath(Path(spec).expanduser())
    match = _NUMBERED.fullmatch(spec) or _NUMBERED.fullmatch(linked)
    return int(match[1]) if match else None


def find(spec: str, folder: Path = CAMERAS) -> int:
    """N of the camera that `spec` means: as in `numbered`, else by a part of its name, in capitals or not.

    SourceError, with all that are there, where it means none or several. A name that `spec` is the whole of wins
    over those that it is a part of.
    """
    if (number := numbered(spec)) is not None:
        return number
    wanted, there = spec.strip().casefold(), cameras(folder)
    alike = [name for name in there if wanted in name.casefold()]
    exact = [name for name in alike if wanted == name.casefold()]
    match exact or alike:
        case [name]:
            return there[name]
        case []:
            raise SourceError(
                f"no such file or folder: {Path(spec).expanduser().absolute()}, and no camera of that name; "
                f"cameras under /dev: {listed(folder)}. Wanted a camera by number, path or a part of its name, "
                "an address such as rtsp://host/path, a video, or pictures"
            )
        case several:
            raise SourceError(
                f"{spec!r} is a part of {len(several)} cameras' names; cameras under /dev: {listed(folder)}. "
                "Give more of the name, or the number"
            )


def cameras(folder: Path = CAMERAS) -> dict[str, int]:
    """N by name, in the order of N: the lowest of each name.

    A camera has several nodes of one name, of which the first gives pictures, the others only data about
    them. Of two cameras of one name the second is thus reached by its number or path alone.
    """
    found: dict[str, int] = {}
    for number, name in sorted(_names(folder).items()):
        found.setdefault(name, number)
    return found


def listed(folder: Path = CAMERAS) -> str:
    """All that are there, as messages have them: 0 "HD Webcam", 2 "C920"."""
    return ", ".join(f'{number} "{name}"' for name, number in cameras(folder).items()) or "none"


def _names(folder: Path) -> dict[int, str]:
    nodes = {int(node.name.removeprefix("video")): node for node in folder.glob("video[0-9]*")}
    return {number: name for number, node in nodes.items() if (name := _name(node))}


def _name(node: Path) -> str:
    try:
        return (node / "name").read_text("utf-8", "replace").strip()
    except OSError:
        return ""  # unplugged just now
