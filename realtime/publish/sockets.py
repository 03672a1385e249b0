"""How a socket comes to an address, and what is said when it does not."""

from __future__ import annotations

import errno
import math
import re
import time

import zmq

from realtime.errors import PublishError

Socket = zmq.Socket[bytes]

LOCAL = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "[::1]"}
#: Messages kept for each slow subscriber. Old states are worth nothing; the events are an hour's worth and more.
STATES_WAITING, EVENTS_WAITING = 4, 10_000
#: What a subscriber of events also subscribes to, under a name of its own, to be told that it is heard.
READY = re.compile(rb"ready/[A-Za-z0-9_.-]{1,64}")
LONGEST_POLL_MS = 2**31 - 1


def bind(context: zmq.Context[Socket], kind: int, waiting: int, host: str, port: int, key: str) -> Socket:
    """A socket at `port`, any free one for 0; PublishError names the configuration's `key` where it cannot be."""
    endpoint = _endpoint(host, port)
    socket = context.socket(kind)
    socket.set(zmq.IPV6, int("[" in endpoint))
    socket.set(zmq.SNDHWM, waiting)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise PublishError(_why(error, endpoint, port, key)) from None
    return socket


def connect(context: zmq.Context[Socket], kind: int, host: str, port: int, *, newest: bool = False) -> Socket:
    """A socket that reaches `port`, now or once somebody is there; `newest` keeps only the last message."""
    endpoint = _endpoint(host, port)
    socket = context.socket(kind)
    socket.set(zmq.IPV6, int("[" in endpoint))
    socket.set(zmq.RCVHWM, EVENTS_WAITING)
    socket.set(zmq.CONFLATE, int(newest))
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        raise PublishError(f"{endpoint}: {error}; give the port that the publisher says it took") from None
    return socket


def left_ms(deadline: float) -> int | None:
    """Milliseconds until `deadline` on the monotonic clock, as poll takes them: 24 days at most, None without end."""
    if deadline == math.inf:
        return None
    return min(max(0, math.ceil((deadline - time.monotonic()) * 1000)), LONGEST_POLL_MS)


def _endpoint(host: str, port: int) -> str:
    if host not in LOCAL:
        raise PublishError(
            f"host {host!r}; only {', '.join(LOCAL)} are reached, since faces are personal data and beyond this "
            "machine need CURVE keys, which this version does not have yet: use --set publish.host=127.0.0.1"
        )
    return f"tcp://{LOCAL[host]}:{port or '*'}"


def _why(error: zmq.ZMQError, endpoint: str, port: int, key: str) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{endpoint} (publish.{key}) cannot be bound: {error}; choose another port with --set publish.{key}=0"
    return (
        f"port {port} (publish.{key}) is in use, perhaps by another Glimpse. `ss -ltnp 'sport = :{port}'` shows by "
        f"whom: stop that, or choose another port with --set publish.{key}=..., 0 for any free one"
    )
