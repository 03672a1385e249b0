"""One message of many frames that never ends: ZeroMQ limits a frame and whole messages, and would keep it all."""

import time
from contextlib import suppress

import msgspec
import psutil
import pytest
import raw_zmtp
from waiting import until

from realtime.config import load
from realtime.publish import Asker
from realtime.schema.message import AskClock, Clock

KINDS = {"state": b"SUB", "events": b"SUB", "replay": b"DEALER", "frames": b"PUSH"}


def memory_of(there):
    return psutil.Process(there.process.pid).memory_info().rss


@pytest.mark.promise(
    "one message of many frames that never ends, at each port",
    "hung up on; the memory comes back",
    "0.5 to 1 GB in 2 s before; now cut within 0.1 s of its allowance",
)
@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("port", KINDS)
def test_who_never_ends_a_message_is_hung_up_on_and_the_memory_comes_back(port, size, wire):
    there = wire("publish.limits.unread_mb=4")
    before = most = memory_of(there)
    line = raw_zmtp.connected(there.ports[port], KINDS[port])
    line.settimeout(0.5)
    part = raw_zmtp.frame(b"\1" * size, more=True) * (200_000 // size)
    began, sent = time.monotonic(), 0
    with suppress(OSError):
        while time.monotonic() < began + 20.0:
            sent += line.send(part[sent % len(raw_zmtp.frame(b"\1" * size, more=True)) :])
            most = max(most, memory_of(there))
    assert raw_zmtp.hung_up_on(line, 0.1), f"{sent} bytes were taken"
    until(lambda: memory_of(there) - before < 40e6, "its memory comes back")
    assert most - before < 300e6
    publish = msgspec.structs.replace(load().publish, replay_port=there.ports["replay"])
    with Asker(publish) as asker:
        assert isinstance(asker.ask(AskClock(), 2.0), Clock)
