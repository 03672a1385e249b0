"""File descriptors: each connection takes one, and a process that has none left can open nothing more."""

from __future__ import annotations

import logging
import sys

log = logging.getLogger(__name__)

#: Sockets that others connect to: states, events, questions, pictures.
DOORS = 4
#: What camera, engines, recordings and logs take, several times over.
OWN = 256


def room_for(peers: int) -> None:
    """Raise this process's soft limit, where it is lower than `peers` at each door need; never lower it.

    Not higher than needed: libraries that wait for cameras by select(2) know no descriptor above 1023.
    """
    wanted = DOORS * peers + OWN
    possible = raised(wanted)
    if possible < wanted:
        log.warning(
            "%d file descriptors are allowed here (ulimit -Hn), %d file descriptors are wanted for %d peers at each "
            "of %d ports: a crowd could take them all; lower publish.limits.peers, or raise the limit",
            possible, wanted, peers, DOORS,
        )  # fmt: skip


def raised(wanted: int) -> int:
    """How many this process may have, once its soft limit was raised to `wanted`, as far as that is possible."""
    if sys.platform == "win32":  # which has no such limit
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    return possible
