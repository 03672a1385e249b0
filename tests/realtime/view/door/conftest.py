"""Connections that say too little, and a password that costs nothing."""

import socket

import pytest

from realtime.view.access import passwords


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """A hash that takes no time."""
    monkeypatch.setattr(passwords, "COST", 16)


@pytest.fixture
def dial():
    """Connect to a page, from any address of this machine, and say something."""
    lines = []

    def connect(page, said=b"", address="127.0.0.1"):
        lines.append(socket.create_connection(("127.0.0.1", page.port), 5.0, source_address=(address, 0)))
        lines[-1].sendall(said)
        return lines[-1]

    yield connect
    for line in lines:
        line.close()
