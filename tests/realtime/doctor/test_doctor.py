"""The doctor looks at this machine, without a camera and without the network."""

import socket
import threading
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.config import load
from realtime.demo.truth import VIDEO
from realtime.doctor import camera, sockets, speed
from realtime.doctor.secrets import page, wire
from realtime.errors import SourceError
from realtime.publish import Answers, Publisher
from realtime.publish.connection.keys import make_keys
from realtime.schema.message import Clock

CHECKS = [
    "glimpse",
    "python",
    "libraries",
    "processor",
    "memory",
    "device",
    "engines",
    "ports",
    "keys",
    "page",
    "disk",
    "clock",
]
FREE = [f"--set=publish.{name}_port=0" for name in ("state", "events", "replay", "frames")] + ["--set=view.port=0"]


def doctor(*words):
    return CliRunner().invoke(app, ["doctor", *words], env={"COLUMNS": "200"})


def test_each_thing_is_told_in_a_line_and_as_json():
    text = doctor("--seconds", "0", *FREE)
    told = msgspec.json.decode(doctor("--seconds", "0", "--json", *FREE).stdout)
    assert [line.split()[1] for line in text.stdout.splitlines()[:-1]] == CHECKS
    assert [each["check"] for each in told["findings"]] == CHECKS
    assert (told["ok"], text.exit_code) == (True, 0), text.stdout


def test_what_stops_glimpse_is_exit_code_1():
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = doctor("--seconds", "0", *FREE[1:], f"--set=publish.state_port={other.getsockname()[1]}")
    assert found.exit_code == 1
    assert "STOP ports" in found.stdout
    assert "stopped by: ports" in found.stdout


def test_the_sample_is_looked_at_as_a_camera_is():
    look = camera.looked(str(VIDEO), load().source, 0.3)
    assert (look.size, look.error) == ((640, 360), "")
    assert look.frames > 5
    assert look.rate_hz == pytest.approx(60.0, abs=5.0)
    assert 20.0 < look.grey < 235.0


def test_a_camera_that_opens_and_never_delivers_is_not_waited_for(monkeypatch):
    hangs = threading.Event()

    def open_source(*_, **__):
        hangs.wait(20.0)
        raise SourceError("too late")

    monkeypatch.setattr(camera, "open_source", open_source)
    assert "no picture within 0.1 s" in camera.looked("0", load().source, 1.0, patience_s=0.1).error
    hangs.set()


def test_a_source_that_cannot_be_opened_is_told_without_its_password():
    (found,) = camera.camera("ftp://me:secret@host/x", load().source, 0.1, watched=False)
    assert found.level == "stop"
    assert "secret" not in found.line()


class Desk:
    def answer(self, question):
        return Clock(monotonic_s=1.0, unix_s=2.0, cameras={"room-1": 3.0})


def test_a_glimpse_that_runs_here_is_known_by_its_answer():
    config = load(overrides=[word.removeprefix("--set=") for word in FREE])
    assert sockets.running(config.publish) is None
    with Publisher(config.publish) as publisher, Answers(config.publish, publisher, Desk()) as answers:
        there = msgspec.structs.replace(config.publish, replay_port=answers.port)
        assert sockets.running(there) == ("room-1",)
        found = sockets.sockets(msgspec.structs.replace(config, publish=there), runs=True)
        assert str(answers.port) in found.found
        assert "process" in found.found


def with_keys(folder, **view):
    replace = msgspec.structs.replace
    config = load()
    return replace(config, publish=replace(config.publish, keys=str(folder)), view=replace(config.view, **view))


def test_keys_that_others_may_read_are_named(tmp_path):
    make_keys(tmp_path / "keys")
    tmp_path.chmod(0o700)
    (tmp_path / "keys").chmod(0o700)
    (tmp_path / "keys" / "clients").chmod(0o700)
    assert wire(with_keys(tmp_path / "keys")).level == "ok"
    (tmp_path / "keys" / "server.key_secret").chmod(0o644)
    found = wire(with_keys(tmp_path / "keys"))
    assert found.level == "look"
    assert "server.key_secret" in found.do
    (tmp_path / "keys" / "server.key_secret").chmod(0o600)
    (tmp_path / "keys").chmod(0o777)
    assert wire(with_keys(tmp_path / "keys")).level == "look"


def test_keys_that_are_not_there_and_a_host_without_any_stop_it(tmp_path):
    assert wire(with_keys(tmp_path)).level == "stop"
    assert wire(load(overrides=["publish.host=0.0.0.0"])).level == "stop"


def test_a_page_for_others_wants_a_certificate(tmp_path):
    assert page(load()).level == "ok"
    assert page(load(overrides=["view.host=0.0.0.0"])).level == "look"
    names = {"certificate": str(tmp_path / "page.pem"), "private_key": str(tmp_path / "page.key")}
    assert page(with_keys("", **names)).level == "stop"
    for name in names.values():
        Path(name).touch(0o600)
    assert page(with_keys("", **names)).level == "ok"
    (tmp_path / "page.key").chmod(0o640)
    assert page(with_keys("", **names)).level == "look"


def test_the_speed_is_measured_apart_from_a_glimpse_that_runs_with_keys(monkeypatch, tmp_path):
    taken = []

    class Live:
        def __init__(self, config):
            taken.append(config.publish)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self, source, seconds):
            taken.append(next(iter(source.frames())).image.shape)
            return None

    monkeypatch.setattr(speed, "Live", Live)
    assert speed.speed(with_keys(tmp_path), 1.0).level == "look"
    assert (taken[0].keys, taken[0].state_port, taken[0].frames_port) == ("", 0, 0)
    assert taken[1] == (360, 640, 3)
