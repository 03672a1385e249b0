"""Connections that never say who they are: it needs no key, and costs no more than a place for a while."""

import errno
import importlib.metadata
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress

import msgspec
import pytest
import raw_zmtp

from realtime.config import load
from realtime.pipeline.summary import version
from realtime.publish import Subscriber
from realtime.publish.connection.keys import make_keys

FREE = [f"publish.{name}_port=0" for name in ("state", "events", "replay", "frames")]


@pytest.fixture(params=["", "keys"])
def keys(request, tmp_path):
    """No keys, or a folder of them."""
    if request.param:
        make_keys(tmp_path / "keys")
    return f"publish.keys={tmp_path / request.param if request.param else ''}"


def knocked(port):
    """A connection, if there was one."""
    with suppress(OSError):
        return [socket.create_connection(("127.0.0.1", port), 5.0)]
    return []


@pytest.mark.promise(
    "half-open connections, with keys and without",
    "descriptors are left, and who may come gets a place",
    "160 at 100 descriptors: at most 40 stay, for handshake_s",
)
def test_a_crowd_of_half_open_connections_leaves_descriptors_and_later_places(wire, keys):
    """As many as the process may have descriptors, at every port; then one who is let in comes, and hears."""
    there = wire(keys, "publish.limits.peers=10", "publish.limits.handshake_s=1", descriptors=100)
    crowd = [line for _ in range(40) for port in there.ports.values() for line in knocked(port)]
    for line in crowd[:20]:
        line.sendall(raw_zmtp.greeting(raw_zmtp.CURVE)[:30])
    inside = sum(not raw_zmtp.hung_up_on(line, 0.05) for line in reversed(crowd))
    assert inside <= 40, "at most ten at each port"
    assert there.process.poll() is None
    publish = load(overrides=[*FREE, keys]).publish
    ports = {"state_port": there.ports["state"], "events_port": there.ports["events"]}
    with Subscriber(msgspec.structs.replace(publish, **ports), states="all", events=True) as subscriber:
        began = time.monotonic()
        assert subscriber.ready(3.0)
        assert subscriber.receive(3.0) is not None
        assert time.monotonic() - began < 3.0
    for line in crowd:
        line.close()


@pytest.mark.promise("no descriptor left", "meta goes on", "every meta opened files before; now none")
def test_the_version_that_every_meta_says_needs_no_file_later(monkeypatch):
    def refuse(_):
        raise OSError(errno.EMFILE, "Too many open files")

    known = version()
    monkeypatch.setattr(importlib.metadata, "version", refuse)
    assert version() == known


def soft_limit_after(wanted_peers, soft, hard):
    """What `room_for` makes of limits, in a process of its own; and what it says."""
    code = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from realtime.publish.connection.descriptors import room_for\n"
        f"room_for({wanted_peers})\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout), done.stderr


@pytest.mark.promise(
    "64 file descriptors", "the process allows itself what it needs", "768 for 128 peers at four ports"
)
def test_room_is_made_for_all_who_may_connect_and_never_taken_away():
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
    assert soft_limit_after(128, 64, hard) == (128 * 4 + 256, "")
    assert soft_limit_after(8, 1024, hard) == (1024, "")


def test_where_there_is_no_room_it_is_said_what_to_do():
    soft, said = soft_limit_after(128, 64, 200)
    assert soft == 200
    assert "768 file descriptors" in said
    assert "publish.limits.peers" in said
