"""Opens files of a session, and writes new ones, where somebody else may have laid a link, a pipe or a device instead.

Only regular files are read, and nothing is written through what is there: it is written beside and renamed.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from realtime.errors import SessionError

#: A pipe is not waited for; not every system has these.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file",
}  # fmt: skip


def open_regular(folder: Path, name: str, most_bytes: int | None = None) -> BinaryIO:
    """The file `name` of `folder`, to be read, with no link followed on the way; FileNotFoundError where there is none.

    SessionError where it is no regular file, has more than `most_bytes`, or cannot be opened.
    """
    path = folder / name
    try:
        for parent in list(path.relative_to(folder).parents)[-2::-1]:
            require_folder(folder / parent)
        _require(path, path.lstat().st_mode, stat.S_IFREG)
        file = os.fdopen(os.open(path, _FLAGS), "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SessionError(f"{path} cannot be read: {error.strerror}; ask who owns it") from None
    try:
        found = os.fstat(file.fileno())
        _require(path, found.st_mode, stat.S_IFREG)
        if most_bytes is not None and found.st_size > most_bytes:
            raise SessionError(f"{path} has {found.st_size} bytes, at most {most_bytes} are read: who made it?")
    except SessionError:
        file.close()
        raise
    return file


def read_regular(folder: Path, name: str, most_bytes: int) -> bytes:
    """All of the file `name` of `folder`, as `open_regular` says."""
    with open_regular(folder, name, most_bytes) as file:
        return file.read(most_bytes)


def has_regular(folder: Path, name: str) -> bool:
    """Whether the file `name` is there; SessionError where it is anything but a regular file."""
    try:
        _require(folder / name, (folder / name).lstat().st_mode, stat.S_IFREG)
    except FileNotFoundError:
        return False
    return True


def require_folder(path: Path) -> bool:
    """Whether the folder `path` is there; SessionError where it is anything but a folder."""
    try:
        _require(path, path.lstat().st_mode, stat.S_IFDIR)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def replaced(path: Path, mode: int) -> Iterator[Path]:
    """A new, empty file beside `path`, which takes its place once the block has ended well, and is gone otherwise.

    SessionError where anything but a regular file is in that place; OSError where it cannot be written.
    """
    if os.path.lexists(path):
        _require(path, path.lstat().st_mode, stat.S_IFREG, "nothing is written through it; give another place")
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _require(path: Path, mode: int, wanted: int, but: str = "nothing is read through it; who made it?") -> None:
    if (found := stat.S_IFMT(mode)) != wanted:
        raise SessionError(
            f"{path} is {_KINDS.get(found, 'of no known kind')}, where {_KINDS[wanted]} is wanted: {but}"
        )
