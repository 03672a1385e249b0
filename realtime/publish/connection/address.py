"""Where a socket may be, and what is said when it cannot be there."""

from __future__ import annotations

import errno
import ipaddress
import socket

import zmq

from realtime.config import PublishConfig
from realtime.errors import PublishError

#: Hosts that stand for all addresses of this machine: one is bound there, and reached at the second.
EVERYWHERE = {"*": ("0.0.0.0", "127.0.0.1"), "0.0.0.0": ("0.0.0.0", "127.0.0.1"), "::": ("::", "::1")}


def bound_at(publish: PublishConfig, port: int) -> str:
    """The endpoint to bind: such as tcp://127.0.0.1:5556, or any free port for 0."""
    return _endpoint(_allowed(publish), 0, port or "*")


def reached_at(publish: PublishConfig, port: int, key: str) -> str:
    """The endpoint to connect to; PublishError without a port, since only who binds may take any."""
    if port == 0:
        raise PublishError(
            f"publish.{key} is 0, any free port, for who connects: give the one that Glimpse says it took"
        )
    return _endpoint(_allowed(publish), 1, port)


def address_of(bound: zmq.Socket[bytes]) -> str:
    """Where a socket is bound, such as tcp://127.0.0.1:5556."""
    address: str = bound.get_string(zmq.LAST_ENDPOINT)
    return address


def port_of(address: str) -> int:
    """The port of an address."""
    return int(address.rpartition(":")[2])


def why_not(error: Exception, host: str, port: int, key: str) -> PublishError:
    """What to say where publish.<key> cannot be bound."""
    if isinstance(error, PublishError):
        return error
    if isinstance(error, zmq.ZMQError) and error.errno == errno.EADDRINUSE:
        return PublishError(
            f"port {port} (publish.{key}) is in use, perhaps by another Glimpse. `ss -ltnp 'sport = :{port}'` shows by "
            f"whom: stop that, or choose another port with --set publish.{key}=..., 0 for any free one"
        )
    return PublishError(
        f"{host}:{port} (publish.host, publish.{key}) cannot be bound: {error}; "
        f"choose an address of this machine, or another port with --set publish.{key}=0"
    )


def _allowed(publish: PublishConfig) -> str:
    """The host, unless it lies beyond this machine and there are no keys."""
    if publish.keys or is_here(publish.host):
        return publish.host
    raise PublishError(
        f"publish.host is {publish.host!r}, which is beyond this machine, without keys; faces are personal data, so "
        "only 127.0.0.1, localhost and ::1 go without: make CURVE keys with `python -m realtime keys DIR` and set "
        "publish.keys to that folder at both ends, or use --set publish.host=127.0.0.1"
    )


def is_here(host: str) -> bool:
    """Whether only programs of this machine reach what is bound to `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _endpoint(host: str, side: int, port: int | str) -> str:
    address = _resolved(EVERYWHERE[host][side] if host in EVERYWHERE else host)
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"


def _resolved(host: str) -> str:
    """An address for a name: binding knows no names, and what `localhost` means differs between machines."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise PublishError(f"publish.host {host!r} is no host that is known here: {error}; give its address") from None
