"""A wire in a process of its own, which an attack may end."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

WIRE = """
import resource, sys, time
from realtime.config import load
from realtime.publish import Answers, Inbox, Publisher
from realtime.schema.message import Clock, State

resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)

class Desk:
    def answer(self, question):
        time.sleep(0.001)
        return Clock(monotonic_s=1.0, unix_s=2.0, cameras={})

free = [f"publish.{name}_port=0" for name in ("state", "events", "replay", "frames")]
config = load(overrides=[*free, *sys.argv[3:]]).publish
with Publisher(config) as publisher, Answers(config, publisher, Desk()) as answers, Inbox(config, print) as inbox:
    print(publisher.state_port, publisher.events_port, answers.port, inbox.port, flush=True)
    for frame in range(10**9):
        publisher.state(State(t=frame / 60, camera="0", frame=frame, gap=0, latency_ms=None, faces=()))
        time.sleep(1 / float(sys.argv[1]))
"""


@pytest.fixture
def wire():
    """Starts all four sockets in a `process` of their own, at `ports`, with states at a rate."""
    begun = []

    def start(*overrides, rate_hz=20, descriptors=1024):
        line = [sys.executable, "-c", WIRE, str(rate_hz), str(descriptors), *overrides]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.append(process)
        names = ("state", "events", "replay", "frames")
        ports = dict(zip(names, map(int, process.stdout.readline().split()), strict=True))
        return SimpleNamespace(process=process, ports=ports)

    yield start
    for process in begun:
        process.kill()
        process.communicate()
