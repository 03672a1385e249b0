"""How a socket takes its keys."""

from __future__ import annotations

from pathlib import Path

import zmq

from realtime.publish.connection.keys import client_pair, server_pair, server_public


def serve_with(socket: zmq.Socket[bytes], folder: Path) -> None:
    """Only clients that the guard of the same context lets in may connect to `socket`; without a guard nobody may."""
    socket.curve_publickey, socket.curve_secretkey = server_pair(folder)
    socket.set(zmq.CURVE_SERVER, 1)
    socket.set(zmq.ZAP_DOMAIN, b"glimpse")
    socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)


def connect_with(socket: zmq.Socket[bytes], folder: Path) -> None:
    """`socket` shows the client's key, and talks to the Glimpse of server.key alone."""
    socket.curve_publickey, socket.curve_secretkey = client_pair(folder)
    socket.curve_serverkey = server_public(folder)
