"""The ports that a configuration names: which are free, and one that is."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec

from realtime.config import Config


def ports(settings: Config) -> Iterator[tuple[str, str, int]]:
    """Key, host and port of everything that is bound."""
    for name in ("publish", "view"):
        section = msgspec.to_builtins(getattr(settings, name))
        yield from ((f"{name}.{key}", section["host"], port) for key, port in section.items() if key.endswith("port"))


def is_free(host: str, port: int) -> bool:
    """Whether a socket can be bound there now."""
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of this machine that nobody holds now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port
