"""What each end of the wire has in common: a context with its sockets, which end together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import zmq

from realtime.config import PublishConfig
from realtime.errors import PublishError
from realtime.publish.connection import private
from realtime.publish.connection.address import bound_at, reached_at, why_not
from realtime.publish.connection.attendant import Attendant
from realtime.publish.connection.curve import connect_with, serve_with
from realtime.publish.connection.guard import Guard
from realtime.publish.connection.peers import Allowance, Peers
from realtime.publish.connection.trouble import Trouble

Socket = zmq.Socket[bytes]
P = TypeVar("P", bound="Party")

#: Times that the system asks a silent peer for a sign of life.
ALIVE_QUESTIONS = 3


class Party:
    """One end of the wire: it binds and connects sockets, with keys where there are some, and `close` ends them all.

    One that connects `privately` reaches the socket for programs of the same user, where there are no keys.
    """

    def __init__(self, publish: PublishConfig, linger_s: float = 0.0, *, privately: bool = False) -> None:
        self._publish = publish
        self._privately = privately
        self._keys = Path(publish.keys).expanduser() if publish.keys else None
        self._trouble: Trouble | None = None
        self._sockets: list[Socket] = []
        self._attendants: list[Attendant] = []
        self._guarded = False
        self._peers: dict[Socket, Peers] = {}
        self._context = zmq.Context()
        self._context.linger = round(linger_s * 1000)  # also when nobody calls `close`

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return bool(self._context.closed)

    def look(self) -> str:
        """Why the other end cannot be talked to, such as a key that it does not know; empty while nothing is wrong.

        For the thread that sends and receives here; what is new is logged as well.
        """
        return self._trouble.reason() if self._trouble else ""

    def close(self) -> None:
        """Free the ports, once what is on its way has gone or its time is over."""
        if not self.closed:
            for socket in self._sockets:
                socket.close()
            self._context.term()
            for attendant in self._attendants:
                attendant.join()

    def __enter__(self: P) -> P:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bind(self, kind: int, key: str, *, waiting: int, longest: int, allowance: Allowance) -> Socket:
        """A socket at publish.<key>, any free port for 0; PublishError names the key where it cannot be.

        `waiting` messages are kept for each peer, and one that sends `longest` bytes or more at once, or more than
        the `allowance`, is cut off.
        """
        socket = self._open(kind, waiting=waiting)
        socket.set(zmq.MAXMSGSIZE, longest)
        socket.set(zmq.RCVBUF, allowance.ahead)
        socket.set(zmq.HANDSHAKE_IVL, math.ceil(1000 * self._publish.limits.handshake_s))
        if kind in (zmq.PUB, zmq.XPUB):
            # Nobody is held up here, or libzmq 4.3.5 aborts where such a peer hangs up and left a PING behind; what it
            # sends is limited by the allowance instead.
            socket.set(zmq.RCVHWM, 0)
        port = getattr(self._publish, key)
        try:
            endpoint = bound_at(self._publish, port)
            if self._keys is not None:
                self._guard(socket, self._keys)
            self._limit(socket, key, allowance)
            socket.set(zmq.IPV6, int("[" in endpoint))
            socket.bind(endpoint)
        except (zmq.ZMQError, PublishError) as error:
            self.close()
            raise why_not(error, self._publish.host, port, key) from None
        return socket

    def _connect(self, kind: int, key: str, *, waiting: int, **options: int) -> Socket:
        """A socket that reaches publish.<key>, now or once somebody is there; `options` by their names in zmq."""
        socket = self._open(kind, waiting=waiting)
        for name, value in options.items():
            socket.set(getattr(zmq, name), value)
        try:
            endpoint = reached_at(self._publish, getattr(self._publish, key), key)
            if self._keys is not None:
                connect_with(socket, self._keys)
            elif self._privately and private.possible():
                endpoint = private.beside(self._publish.private, endpoint)
            self._watch(socket)
            socket.set(zmq.IPV6, int("[" in endpoint))
            socket.connect(endpoint)
        except PublishError:
            self.close()
            raise
        return socket

    def _receive(self, socket: Socket) -> list[bytes]:
        """The frames of the next message at a bound socket, whose sender has its allowance anew."""
        frames = socket.recv_multipart(copy=False)
        with suppress(zmq.ZMQError):  # of one who hung up before it was known who it is
            self._peers[socket].heard(frames[-1].get(zmq.SRCFD))
        return [frame.bytes for frame in frames]

    def _attend(self, sockets: Sequence[Socket], turn: Callable[[], None], name: str) -> None:
        """Leave `sockets` to a thread, which calls `turn` until the end and then closes them."""
        for socket in sockets:
            self._sockets.remove(socket)
        self._attendants.append(Attendant(sockets, turn, name))

    def _guard(self, socket: Socket, folder: Path) -> None:
        """Let only known clients connect to `socket`."""
        if not self._guarded:  # once, for every door
            self._guarded = True
            door = self._open(zmq.REP, waiting=0)
            self._attend([door], Guard(door, folder).turn, "guard")
        serve_with(socket, folder)

    def _limit(self, socket: Socket, key: str, allowance: Allowance) -> None:
        """Hang up on peers of `socket` that send more than they may."""
        peers = self._peers[socket] = Peers(self._context, socket, key, self._publish.limits.peers, allowance)
        self._sockets.append(peers.socket)
        self._attend([peers.socket], peers.turn, f"peers of {key}")

    def _watch(self, socket: Socket) -> None:
        """Learn why nobody answers from the first socket, since the others have the same keys."""
        if self._trouble is None:
            self._trouble = Trouble(self._context, socket, self._publish.keys)
            self._sockets.append(self._trouble.socket)

    def _open(self, kind: int, *, waiting: int) -> Socket:
        socket = self._context.socket(kind)
        socket.set(zmq.SNDHWM, waiting)
        socket.set(zmq.RCVHWM, waiting)
        self._notice_silence(socket)
        self._sockets.append(socket)
        return socket

    def _notice_silence(self, socket: Socket) -> None:
        """Of a peer that is gone although nobody said so, such as one whose cable was pulled.

        The system asks, and not ZeroMQ's own heartbeats: their timer aborts the process where it comes up for a peer
        that hung up while it was held up (libzmq issues 4364, 3937, 4767: `Assertion failed: !_io_error`).
        """
        silent_s = self._publish.limits.silent_s
        socket.set(zmq.TCP_KEEPALIVE, 1)
        socket.set(zmq.TCP_KEEPALIVE_IDLE, math.ceil(silent_s / 2))
        socket.set(zmq.TCP_KEEPALIVE_CNT, ALIVE_QUESTIONS)
        socket.set(zmq.TCP_KEEPALIVE_INTVL, math.ceil(silent_s / 2 / ALIVE_QUESTIONS))
        socket.set(zmq.TCP_MAXRT, math.ceil(1000 * silent_s))  # while something is on its way nobody is asked
