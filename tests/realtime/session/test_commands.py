"""`replay`, `export` and `report` as they are typed."""

import csv
import re
import signal
import subprocess
import sys

import msgspec
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.config import ROOT, load
from realtime.publish import Asker, Subscriber
from realtime.schema.message import AskClock, Event

KEYS = ("state_port", "events_port", "replay_port", "frames_port")
ON_FREE_PORTS = [word for key in KEYS for word in ("--set", f"publish.{key}=0")]


def call(*words):
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture
def folder(play):
    return play(seconds=3.0).folder


@pytest.mark.parametrize("command", ["replay", "export", "report"])
def test_a_folder_without_a_session_is_one_error(command, tmp_path):
    found = call(command, tmp_path, *(["--out", tmp_path / "out"] if command == "export" else []))
    assert found.exit_code == 2
    assert found.stderr.startswith("error: ")
    assert "holds no session" in found.stderr
    assert "Traceback" not in found.output


def test_replay_says_what_it_sent(folder):
    found = call("replay", folder, "--speed", 50, *ON_FREE_PORTS)
    assert found.exit_code == 0, found.output
    assert "recorded of camera room-1" in found.stdout
    assert found.stdout.count("event ") == 3
    assert found.stdout.endswith("153 messages sent, 3 events among them\n")
    found = call("replay", folder, "--speed", 50, "--json", *ON_FREE_PORTS)
    assert msgspec.json.decode(found.stdout) == {"messages": 153, "events": 3}
    found = call("replay", folder, "--repeat", "--seconds", 0.1, "--json", *ON_FREE_PORTS)
    assert msgspec.json.decode(found.stdout)["messages"] < 20


def test_a_replay_in_a_process_of_its_own_is_heard_asked_and_ended(folder):
    command = [sys.executable, "-m", "realtime", "replay", str(folder), "--repeat", "--speed", "3", *ON_FREE_PORTS]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        ports = map(int, re.findall(r"tcp://127\.0\.0\.1:(\d+)", process.stdout.readline()))
        reach = msgspec.structs.replace(load().publish, **dict(zip(KEYS, ports, strict=False)))
        with Subscriber(reach, states=None, events=True) as subscriber, Asker(reach) as asker:
            assert subscriber.ready(10.0)
            heard = [subscriber.receive(10.0).message for _ in range(4)]
            assert asker.ask(AskClock(), 10.0).cameras["room-1"] > 0
        assert all(isinstance(event, Event) for event in heard)
        assert heard[-1].id > heard[0].id  # the next lap, or the one that was joined late
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert (process.returncode, err) == (130, "")
    finally:
        process.kill()
        process.communicate()


def test_export_writes_four_tables_and_says_how_long_they_are(folder, tmp_path):
    found = call("export", folder, "--to", "csv", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert [line.split()[-2:] for line in found.stdout.splitlines()] == [
        ["147", "rows"],
        ["1", "rows"],
        ["3", "rows"],
        ["3", "rows"],
    ]
    with (tmp_path / "out" / "answers.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    found = call("export", folder, "--to", "parquet", "--out", tmp_path / "out", "--json")
    assert set(msgspec.json.decode(found.stdout).values()) == {147, 1, 3}


def test_report_makes_a_page(folder, tmp_path):
    found = call("report", folder)
    assert found.exit_code == 0, found.output
    assert "<h2>Timeline</h2>" in (folder / "report.html").read_text()
    found = call("report", folder, "--out", tmp_path / "mine.html", "--json")
    assert msgspec.json.decode(found.stdout) == {"report": str(tmp_path / "mine.html")}
