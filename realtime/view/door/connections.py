"""Who is connected to the page, and who is hung up on, since uvicorn takes whoever comes and waits for ever."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from realtime.config import ConnectionsConfig
from realtime.view.door.household import household

log = logging.getLogger(__name__)

#: How often those are looked for who take too long.
LOOK_S = 0.25
#: A crowd is told of once in so long, or its log would fill the disk.
TELL_S = 10.0


@dataclass(slots=True)
class _Line:
    """A connection; times are on the monotonic clock."""

    who: str
    due: float  #: a whole request has come by then; infinite while none is on its way
    hang_up: Callable[[], None]
    waiting: Callable[[], int]  #: bytes that are written, and not taken yet
    waited: int = 0  #: the same at the last look
    moved: float = field(default_factory=time.monotonic)  #: when that was another number, or none


class Connections:
    """By their descriptors: at most so many, of one household as well, none of them slower than `limits` say.

    The proxies that are named speak for many, and only the limit of all counts for them. What is called here is
    called from the page's loop.
    """

    def __init__(self, limits: ConnectionsConfig, proxies: Sequence[str], most: int) -> None:
        """`most` is how many may be connected at once."""
        self.limits, self.most = limits, most
        self._networks = [ipaddress.ip_network(proxy) for proxy in proxies]
        self._lines: dict[int, _Line] = {}
        self._of: Counter[str] = Counter()
        self._turned_away, self._tell_due = 0, 0.0
        self._watching = False

    def enter(self, connection: socket.socket, address: str) -> bool:
        """Whether one more from `address` may come in; it then has to say what it wants."""
        who = household(address)
        if len(self._lines) >= self.most or (self._of[who] >= self.limits.of_one and not self._is_proxy(address)):
            self.refuse(f"{len(self._lines)} are connected (view.connections.most), {self._of[who]} of them from {who}")
            return False
        self._of[who] += 1
        due = time.monotonic() + self.limits.request_s
        self._lines[connection.fileno()] = _Line(who, due, lambda: _shut(connection), lambda: 0)
        self._watch()
        return True

    def carried(self, descriptor: int, transport: asyncio.Transport) -> None:
        """What is written to this connection waits in `transport`."""
        if line := self._lines.get(descriptor):
            line.hang_up, line.waiting = transport.abort, transport.get_write_buffer_size

    def expect(self, descriptor: int) -> None:
        """A request has begun to come, or there is a part of one."""
        if (line := self._lines.get(descriptor)) and line.due == math.inf:
            line.due = time.monotonic() + self.limits.request_s

    def arrived(self, descriptor: int) -> None:
        """All of the request is here."""
        if line := self._lines.get(descriptor):
            line.due = math.inf

    def leave(self, descriptor: int) -> None:
        """It is closed."""
        if line := self._lines.pop(descriptor, None):
            self._of[line.who] -= 1
            self._of += Counter()  # leaves out who has none

    def refuse(self, why: str) -> None:
        """Count one that was turned away, and say so if that was not said a moment ago."""
        self._turned_away += 1
        if time.monotonic() >= self._tell_due:
            log.warning("%d connections were turned away: %s", self._turned_away, why)
            self._turned_away, self._tell_due = 0, time.monotonic() + TELL_S

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._watching = False
        now = time.monotonic()
        for line in list(self._lines.values()):
            waiting = line.waiting()
            if not waiting or waiting != line.waited:
                line.waited, line.moved = waiting, now
            if now > line.due or now > line.moved + self.limits.unread_s:
                line.hang_up()
        if self._lines:
            self._watch()


def _shut(connection: socket.socket) -> None:
    """Whoever waits for something from it, such as TLS, then hears that it has ended."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
