"""Folders and numbered pictures below a data set's root, found in spite of how their names are spelled."""

from __future__ import annotations

import os
import re
from pathlib import Path

from realtime.capture.recorded.folder import PICTURES
from realtime.errors import DataError

_LAST_NUMBER = re.compile(r"([0-9]+)$")


class Tree:
    """What lies below `root`; every folder is listed once.

    `bases` are the folders that the publisher's archives unpack to: below the first one that is there, the clips are
    looked for, else below `root` itself, so that either can be given.
    """

    def __init__(self, root: Path, *bases: str) -> None:
        if not root.is_dir():
            raise DataError(f"no folder {root}; give the folder that the data set was unpacked to with --root")
        self.root = root
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._listed: dict[Path, frozenset[str]] = {}
        self._pictures: dict[Path, dict[int, Path]] = {}
        found = (self.find(root, *base.split("/")) for base in bases)
        self.base = next((folder for folder in found if folder is not None), root)

    def find(self, folder: Path, *parts: str) -> Path | None:
        """`folder`/part/part..., exact or spelled otherwise: s1 is S01 and s01; None if there is none, or several."""
        for part in parts:
            names = self.names(folder)
            alike = names.get(plain(part), [])
            exact = [name for name in alike if name == part]
            if len(exact or alike) != 1:
                return None
            folder = folder / (exact or alike)[0]
        return folder

    def locate(self, *places: str) -> Path:
        """The first of `places` that is there, from `base`, in any spelling; DataError if none is."""
        for place in places:
            direct = self.base / place
            found = direct if direct.exists() else self.find(self.base, *place.split("/"))
            if found is not None:
                return found
        wanted = " or ".join(str(self.base / place) for place in places)
        raise DataError(f"no {wanted}; unpack it there, or leave the row out")

    def names(self, folder: Path) -> dict[str, list[str]]:
        """Plain spelling -> names of what lies in `folder`; empty if it is none."""
        if folder not in self._names:
            found: dict[str, list[str]] = {}
            for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
                found.setdefault(plain(name), []).append(name)
            self._names[folder] = found
        return self._names[folder]

    def listed(self, folder: Path) -> frozenset[str]:
        """Names of all that lies in `folder`, as they are spelled."""
        if folder not in self._listed:
            self._listed[folder] = frozenset(name for alike in self.names(folder).values() for name in alike)
        return self._listed[folder]

    def pictures(self, folder: Path) -> dict[int, Path]:
        """Frame number -> picture, in rising order."""
        if folder not in self._pictures:
            self._pictures[folder] = numbered(folder)
        return self._pictures[folder]


def plain(name: str) -> str:
    """A spelling that "s1", "S01" and "s001" share."""
    return re.sub(r"[0-9]+", lambda digits: str(int(digits[0])), name.strip().lower())


def numbered(folder: Path) -> dict[int, Path]:
    """Frame number -> picture, rising; the number is the last thing in a name: reg_img46.jpg, 006_05562.jpg.

    DataError if two pictures have one number, as when two clips were unpacked into one folder.
    """
    found: dict[int, Path] = {}
    twice = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES):
        number = _LAST_NUMBER.search(path.stem)
        if number is None or path.name.startswith("."):
            continue
        other = found.setdefault(int(number[1]), path)
        if other != path:
            twice.append(f"{folder}: {other.name} and {path.name} have the same frame number")
    if twice:
        raise DataError(f"{folder} holds pictures of more than one clip; unpack it anew", twice)
    return dict(sorted(found.items()))
