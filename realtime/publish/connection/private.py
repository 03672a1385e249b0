"""A socket that only programs of the same user can reach: it lies in a folder that nobody else may enter.

A port of this machine can be reached by everybody who has an account here, whoever started the program behind it.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from contextlib import suppress
from pathlib import Path

import zmq

from realtime.errors import PublishError

#: Bytes of a path that the system takes (unix(7), sun_path), less the NUL.
LONGEST = 107
SUFFIX = ".socket"
#: What is younger may be about to be listened at.
YOUNG_S = 60.0
CONNECT_S = 0.5  # then somebody is there, and busy


def possible() -> bool:
    """Whether this system has such sockets, and users to tell apart."""
    return bool(zmq.has("ipc")) and hasattr(os, "geteuid")


def beside(folder: str, address: str) -> str:
    """The endpoint in `folder` that belongs to a TCP `address`; PublishError where the folder is not private."""
    home = Path(folder).expanduser()
    path = home / (address.removeprefix("tcp://").replace(":", "-") + SUFFIX)
    if len(os.fsencode(path)) > LONGEST:
        raise PublishError(f"{path} is longer than the {LONGEST} bytes of a socket's path; shorten publish.private")
    _make_private(home)
    return f"ipc://{path}"


def sweep(folder: str) -> None:
    """Remove the sockets that processes left behind when they were killed."""
    for path in Path(folder).expanduser().glob(f"*{SUFFIX}"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > YOUNG_S and not _answers(path):
                path.unlink()


def remove(address: str) -> None:
    """Remove the socket at this endpoint."""
    Path(address.removeprefix("ipc://")).unlink(missing_ok=True)


def _make_private(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = home.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PublishError(f"{home} is no folder of this user; set publish.private to one")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise PublishError(
                f"{home} is open to others; `chmod 700 {home}`, or set publish.private to another folder"
            )
    except OSError as error:
        raise PublishError(
            f"{home} cannot be made: {error.strerror}; set publish.private to a folder of yours"
        ) from None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(CONNECT_S)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            return False
        except TimeoutError:
            return True
    return True
