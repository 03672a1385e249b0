"""Lets in only those whose keys are known; ZeroMQ asks at each handshake, by its ZAP protocol (rfc.zeromq.org/27)."""

from __future__ import annotations

from pathlib import Path

import zmq
from zmq.utils import z85

from realtime.publish.connection.complaints import Complaints
from realtime.publish.connection.keys import CLIENTS, known_clients

ENDPOINT = "inproc://zeromq.zap.01"
VERSION, LET_IN, SENT_AWAY = b"1.0", b"200", b"400"


class Guard:
    """Looks into the folder at each handshake, so that whoever is added or taken away needs no restart."""

    def __init__(self, socket: zmq.Socket[bytes], folder: Path) -> None:
        socket.bind(ENDPOINT)
        self._socket = socket
        self._folder = folder
        self._complaints = Complaints()

    def turn(self) -> None:
        """Answer one handshake."""
        _, number, _, address, _, _, *credentials = self._socket.recv_multipart()
        status = LET_IN if self._knows(address.decode("ascii", "replace"), credentials) else SENT_AWAY
        self._socket.send_multipart([VERSION, number, status, b"", b"", b""])

    def _knows(self, address: str, credentials: list[bytes]) -> bool:
        clients, wrong = known_clients(self._folder)
        for complaint in wrong:  # whose key it was is locked out, and nobody else
            self._complaints.add(complaint)
        known = len(credentials) == 1 and z85.encode(credentials[0]) in clients
        if not known:
            self._complaints.add(f"a client at {address} whose key is not in {self._folder / CLIENTS}")
        return known
