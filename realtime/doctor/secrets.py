"""Keys and certificates: there, readable, and nobody else's to read; and what goes beyond this machine without them."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from realtime.config import Config
from realtime.doctor.finding import Finding
from realtime.errors import GlimpseError
from realtime.publish.connection.address import bound_at, is_here
from realtime.publish.connection.keys import CLIENT_SECRET, SERVER_SECRET, known_clients, server_pair

#: Nobody but the owner may do anything with a secret file, nor write where it lies.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def secrets(config: Config) -> list[Finding]:
    """Findings on the wire's keys, and on what the page needs to be reached from elsewhere."""
    return [wire(config), page(config)]


def wire(config: Config) -> Finding:
    """Whether the sockets may be bound where they shall, and with which keys."""
    publish = config.publish
    try:
        bound_at(publish, 0)
        if not publish.keys:
            return Finding("keys", "ok", f"none, and none are needed: {publish.host} is this machine")
        folder = Path(publish.keys).expanduser()
        server_pair(folder)
        clients, broken = known_clients(folder)
    except GlimpseError as error:
        return Finding("keys", "stop", str(error))
    wrong = [*open_to_others(folder.glob(f"**/{CLIENT_SECRET}")), *open_to_others([folder / SERVER_SECRET])]
    if broken and not wrong:
        todo = "make them anew with `python -m realtime keys`, or remove them"
        return Finding("keys", "look", f"keys of {folder} that let in nobody: {'; '.join(broken)}", todo)
    return judge_files("keys", f"{len(clients)} programs and machines are let in by {folder}", wrong)


def page(config: Config) -> Finding:
    """Whether the page is for this machine alone, or has what others need to come in safely."""
    view = config.view
    if not view.certificate and not view.private_key:
        if is_here(view.host):
            return Finding("page", "ok", f"for this machine alone, at {view.host}")
        todo = "set view.certificate and view.private_key, give --auth, or leave view.host as it is and use ssh -L"
        return Finding("page", "look", f"http at {view.host}: whoever is on the way sees passwords and faces", todo)
    files = [Path(each).expanduser() for each in (view.certificate, view.private_key)]
    if missing := [str(path) for path in files if not path.is_file()]:
        return Finding(
            "page", "stop", f"no file {', '.join(missing)} (view.certificate, view.private_key)", "name both"
        )
    return judge_files("page", f"https at {view.host}", list(open_to_others(files[1:])))


def open_to_others(paths: Iterable[Path]) -> list[Path]:
    """Those that others may read, or whose folder others may write into, and so replace them."""
    return [
        path
        for path in paths
        if path.is_file() and (path.stat().st_mode & OTHERS or path.parent.stat().st_mode & OTHERS_WRITE)
    ]


def judge_files(check: str, found: str, wrong: list[Path]) -> Finding:
    """`wrong` are secret files that others can read or replace."""
    if not wrong:
        return Finding(check, "ok", found)
    names = " ".join(map(str, wrong))
    todo = f"chmod go-rwx {names}, chmod go-w their folders, and make new ones if anybody else was here"
    return Finding(check, "look", f"{found}, but others can read or replace {names}", todo)
