"""A recogniser that is killed at any moment and started again, while others listen and it records."""

import random
import subprocess
import sys
import time

import msgspec
import pytest

from realtime.config import ROOT, load
from realtime.publish import Subscriber

#: The sockets and the recording of `run --record DIR --resume`, with an event every 4 ms instead of a camera.
RECOGNISER = """
import sys, time
from pathlib import Path
from messages import event
from realtime.config import load
from realtime.publish import Answers, Publisher
from realtime.session import Recorder, RecordingOutlet, going_on, kept_events

config = load(overrides=[*sys.argv[2:], "publish.camera=room-1"])
folder, before = going_on(Path(sys.argv[1]))
with Recorder(folder, config, [], video=False) as recorder, Publisher(config.publish) as publisher:
    publisher.outlive(recorder.keep, kept_events(before, config.publish.kept_events))
    with Answers(config.publish, publisher, None) as answers:
        outlet = RecordingOutlet(publisher, recorder)
        print(publisher.state_port, publisher.events_port, answers.port, flush=True)
        for number in range(10**9):
            outlet.event(event(number, float(number)))
            time.sleep(0.004)
"""
NAMES = ("state_port", "events_port", "replay_port")


def started(folder, ports):
    overrides = [f"publish.{name}={port}" for name, port in ports.items()]
    line = [sys.executable, "-c", RECOGNISER, str(folder), *overrides]
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'made'}"}
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=paths)
    return process, dict(zip(NAMES, map(int, process.stdout.readline().split()), strict=True))


@pytest.mark.promise(
    "the recogniser is killed with -9 while it records, and resumed",
    "every event that was sent is heard once and in order by who held on",
    "8 kills at random moments, some 250 events: none lost, none twice",
)
def test_no_event_is_lost_by_kills_where_it_records(tmp_path):
    chance = random.Random(18)
    process, ports = started(tmp_path / "kept", dict.fromkeys(NAMES, 0))
    heard = []
    publish = msgspec.structs.replace(load().publish, **ports)
    try:
        with Subscriber(publish, states=None, events=True) as subscriber:
            assert subscriber.ready(10.0)
            for _ in range(8):
                until = time.monotonic() + chance.uniform(0.05, 0.2)
                while time.monotonic() < until:
                    heard.append(subscriber.receive(5.0).message)
                process.kill()
                process.communicate()
                process, _ = started(tmp_path / "kept", ports)
            while len({event.run for event in heard}) < 9:
                heard.append(subscriber.receive(10.0).message)
            assert (subscriber.missed, subscriber.restarts) == (0, 8)
    finally:
        process.kill()
        process.communicate()
    runs = list(dict.fromkeys(event.run for event in heard))
    for run in runs:
        numbers = [event.seq for event in heard if event.run == run]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert numbers[0] == 1 or run == runs[0]
    assert len(list(tmp_path.glob("*/events.bin"))) == 9
