"""The command line: in this process where a word is said, in processes of its own where signals and sockets matter."""

import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import cv2
import msgspec
import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.capture import source
from realtime.config import load
from realtime.demo import truth
from realtime.engine.package.manifest import GOLDEN, MODEL, dump, sha256
from realtime.engine.package.manifest import load as load_manifest
from realtime.publish import Publisher
from realtime.schema.message import Event, State
from realtime.session import read

ROOT = Path(__file__).resolve().parents[3]
COMMON = {"--config", "--set", "--json", "--verbose", "--help"}
OPTIONS = {
    "run": {"--source", "--seconds", "--fast", "--repeat", "--publish", "--record", "--video", "--resume"},
    "listen": {"--events", "--seconds", "--state-port", "--events-port", "--replay-port"},
    "bench": {"--source", "--engines", "--wire", "--seconds"},
    "build": {"--backend", "--capability"},
    "check": {"--backend"},
    "demo": {"--seconds"},
}
PORTS = ("state_port", "events_port", "replay_port", "frames_port")
VIDEO = str(truth.VIDEO)


@pytest.fixture(scope="module")
def tiny(packages, tmp_path_factory):
    """Options that take the tiny engines, made for the crops of the default configuration, and free ports."""
    folder = shutil.copytree(packages, tmp_path_factory.mktemp("made") / "engines")
    for name in ("encoder", "spotter"):
        manifest = load_manifest(folder / name)
        made_for = msgspec.structs.replace(manifest.representation, crop_px=load().align.size_px)
        dump(msgspec.structs.replace(manifest, representation=made_for), folder / name)
    return settings(**{"engines.folder": folder, "engines.head": "head", "engines.dynamic": "", "engines.units": ""})


def settings(**changes):
    changes = {f"publish.{port}": 0 for port in PORTS} | {"engines.precision": "f32"} | changes
    return [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]


def decoded(picture):
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


def call(*words):
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture
def start():
    """Start `python -m realtime ...`; whatever still runs is ended with the test."""
    started = []

    def begin(*words, python=()):
        command = [sys.executable, *python, "-m", "realtime", *map(str, words)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def on_free_ports():
    """Options for two processes that meet."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        free = zip(PORTS, (each.getsockname()[1] for each in sockets), strict=True)
        return [word for port, number in free for word in ("--set", f"publish.{port}={number}")]


def until_line(stream, wanted):
    """Read lines until one in which the pattern is found; all that were read come back."""
    lines = []
    for line in stream:
        lines.append(line)
        if re.search(wanted, line):
            return lines
    raise AssertionError(f"{wanted!r} never came, but {lines}")


def fails(words, *parts):
    """The command ends with status 2 and one message that names `parts`, as text and as JSON."""
    for as_json in (False, True):
        found = call(*words, *(["--json"] if as_json else []))
        assert found.exit_code == 2, found.output
        assert found.stderr.startswith("error: ")
        assert "Traceback" not in found.output
        message = found.stderr.removeprefix("error: ").rstrip("\n")
        for part in parts:
            assert str(part) in message
        if as_json:
            tree = msgspec.json.decode(found.stdout)
            assert tree["error"] == message
            assert tree["kind"].endswith(("Error", "Lost"))
        else:
            assert found.stdout == ""


@pytest.mark.parametrize("command", OPTIONS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_option(command, flag):
    found = call(command, flag)
    assert found.exit_code == 0
    assert set(re.findall(r"--[a-z-]+", found.stdout)) >= OPTIONS[command] | COMMON


def test_without_a_command_all_are_named():
    found = call()
    assert all(command in found.output for command in OPTIONS)


@pytest.mark.parametrize("words", [["run", "--sauce", "0"], ["run", "--seconds", "soon"], ["bench"], ["walk"]])
def test_words_that_are_no_option_end_with_2(words):
    found = call(*words)
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_an_unknown_key_is_named():
    fails(["run", "--source", VIDEO, "--set", "spotter.opne=3"], "opne", "spotter")


def test_a_value_of_the_wrong_type_is_named():
    fails(["listen", "--set", "publish.state_port=high"], "publish.state_port", "int")
    fails(["demo", "--set", "spotter.open=-1"], "spotter.open", "> 0")


def test_an_override_of_another_form_is_explained():
    fails(["bench", "--source", VIDEO, "--set", "spotter.open"], "section.key=value")


def test_a_missing_configuration_is_named(tmp_path):
    fails(["run", "--config", tmp_path / "mine.toml"], tmp_path / "mine.toml", "--config")


def test_a_file_of_settings_is_laid_over_the_default_and_named_when_it_is_wrong(tmp_path):
    (tmp_path / "mine.toml").write_text("[track]\nmax_faces = 0\n")
    fails(["run", "--config", tmp_path / "mine.toml"], tmp_path / "mine.toml", "track.max_faces")


def test_a_missing_video_is_named(tmp_path):
    fails(["run", "--source", tmp_path / "clip.mp4"], tmp_path / "clip.mp4", "no such file")


def test_a_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    fails(["run", "--source", tmp_path / "clip.mp4"], "clip.mp4 cannot be decoded")


def test_a_camera_that_is_not_there_is_named():
    fails(["run", "--source", "97"], "camera 97 does not open")


def test_the_closing_table_of_a_stream_shows_no_password(tiny, monkeypatch):
    opened = source.open_source
    monkeypatch.setattr(source, "open_source", lambda _, config, *, fast: opened(VIDEO, config, fast=fast))
    found = call("run", "--source", "rtsp://admin:hunter2@camera/live", "--seconds", "0.5", "--fast", *tiny)
    assert found.exit_code == 0
    assert "rtsp://***@camera/live" in found.output
    assert "hunter2" not in found.output


@pytest.mark.promise(
    "two instances",
    "the second is one line, exit code 2",
    "1 of 1",
)
def test_a_port_in_use_is_named(tiny):
    taken = msgspec.structs.replace(load().publish, state_port=0, events_port=0)
    with Publisher(taken) as publisher:
        for key in PORTS:
            words = [*tiny, "--set", f"publish.{key}={publisher.state_port}"]
            fails(["run", "--source", VIDEO, *words], f"port {publisher.state_port} (publish.{key}) is in use")


@pytest.mark.promise(
    "a file is looked at while a demo holds all ports",
    "run --fast and bench bind none",
    "refused with exit code 2 before, beside it now",
)
def test_what_works_on_files_alone_runs_beside_whatever_holds_the_ports(tiny):
    taken = msgspec.structs.replace(load().publish, state_port=0, events_port=0)
    with Publisher(taken) as publisher:
        held = [word for key in PORTS for word in ("--set", f"publish.{key}={publisher.state_port}")]
        words = ["run", "--source", VIDEO, "--fast", "--seconds", "0.2", *tiny, *held]
        assert call(*words).exit_code == 0
        assert call("bench", "--source", VIDEO, "--seconds", "2", *tiny, *held).exit_code == 0
        fails([*words, "--publish"], f"port {publisher.state_port}", "is in use")


@pytest.mark.promise(
    "an engine that was altered",
    "refused with the file, exit code 2",
    "1 of 1",
)
def test_an_altered_engine_is_refused_where_it_would_be_used(packages, encoder_folder, tiny):
    model = encoder_folder / MODEL
    model.write_bytes(model.read_bytes() + b"\0")
    (encoder_folder.parent / "head").symlink_to(packages / "head")
    words = [*tiny, "--set", f"engines.folder={encoder_folder.parent}"]
    fails(["run", "--source", VIDEO, *words], f"{MODEL} differs from what was exported")
    fails(["bench", "--source", VIDEO, *words], f"{MODEL} differs from what was exported")
    fails(["check", encoder_folder, *tiny], f"{MODEL} differs from what was exported")


def test_engines_that_are_not_there_are_named(tmp_path, tiny):
    fails(["run", "--source", VIDEO, *tiny, "--set", f"engines.folder={tmp_path}"], tmp_path / "encoder")
    fails(["check", tmp_path / "encoder"], tmp_path / "encoder", "no such folder")


def test_a_check_shows_a_line_for_each_output_and_the_verdict(packages, tiny):
    found = call("check", packages / "encoder", *tiny)
    assert found.exit_code == 0, found.output
    header, embedding, logits, verdict = found.stdout.splitlines()
    titles = ["output", "largest", "mean", "relative", "bar", "labels", "precision", "ms", "a", "row"]
    assert header.split() == titles
    for line, name in ((embedding, "embedding"), (logits, "logits")):
        words = line.split()
        assert (words[0], words[-1], len(words)) == (name, "ok", 9)
        assert float(words[3]) <= float(words[4]) == 1e-4
        assert (words[5], words[6]) == ("100.0%" if name == "logits" else "-", "f32")
        assert float(words[7]) > 0
    assert verdict.startswith("encoder answers as exported: openvino ")
    assert re.search(r", f32, [0-9.]+ ms a row$", verdict)


def test_a_check_that_fails_ends_with_1_and_says_which_output(encoder_folder, tiny):
    manifest, arrays = load_manifest(encoder_folder), dict(np.load(encoder_folder / GOLDEN))
    np.savez_compressed(encoder_folder / GOLDEN, **(arrays | {"out_logits": arrays["out_logits"] * 1.1}))
    files = manifest.files | {GOLDEN: sha256(encoder_folder / GOLDEN)}
    dump(msgspec.structs.replace(manifest, files=files), encoder_folder)
    found = call("check", encoder_folder, *tiny)
    assert found.exit_code == 1
    assert [line.split()[-1] for line in found.stdout.splitlines()[1:3]] == ["ok", "FAILED"]
    assert "does NOT answer as exported" in found.stdout
    found = call("check", encoder_folder, *tiny, "--json")
    assert (found.exit_code, msgspec.json.decode(found.stdout)["ok"]) == (1, False)


def test_a_check_on_what_is_not_here_is_an_error_and_nothing_takes_its_place(packages, tiny):
    fails(["check", packages / "head", "--backend", "triton", "--set", "engines.device=triton://127.0.0.1:1", *tiny])
    assert call("check", packages / "head", "--backend", "onnxruntime").exit_code == 2


def test_plans_are_built_where_there_is_no_gpu(packages, tiny, tmp_path):
    pytest.importorskip("tensorrt_rtx", reason="building plans needs the tensorrt-rtx extra")
    words = ["build", packages / "head", "--backend", "tensorrt-rtx", "--set", f"engines.cache={tmp_path}"]
    found = call(*words)
    assert found.exit_code == 0, found.output
    assert re.search(r"^head: built in [0-9.]+ s, [0-9.]+ MB, fp32, up to 16 rows, tensorrt-rtx ", found.stdout)
    [again] = msgspec.json.decode(call(*words, "--json").stdout)
    assert (again["new"], Path(again["plan"]).parent) == (False, tmp_path)
    assert again["record"]["identity"]["target"] == "compute capability 8.0 and later"


def test_packages_that_have_no_plan_are_named(tmp_path):
    fails(
        ["build", tmp_path / "one", tmp_path / "two", "--backend", "tensorrt-rtx"], "2 of 2 packages", "one: ", "two: "
    )


def test_what_a_run_prints_as_json_parses(tiny, start):
    process = start("run", "--source", VIDEO, "--fast", "--seconds", "0.5", "--json", *tiny)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    tree = msgspec.json.decode(stdout)
    assert set(tree) == {
        *("frames", "gaps", "fps", "latency_ms", "stages_ms"),
        *("faces", "events", "rss_mb", "left_out", "note"),
    }
    assert (tree["frames"], len(tree["faces"])) == (30, 1)


def test_a_second_process_prints_the_events_of_the_first(tiny, start):
    ports = on_free_ports()
    listener, reader = start("listen", "--events", "--json", *ports), start("listen", *ports)
    runner = start("run", "--source", VIDEO, "--seconds", "4.6", *tiny, *ports)  # its first event is at 4 s
    until_line(listener.stderr, "listening")
    printed, complaints = runner.communicate(timeout=60)
    assert runner.returncode == 0, complaints
    told = [line for line in printed.splitlines() if line.startswith("event ")]
    assert told
    heard = [msgspec.json.decode(listener.stdout.readline(), type=Event) for _ in told]
    assert [event.seq for event in heard] == list(range(1, len(told) + 1))
    assert all(f"#{event.id} " in line and event.stage in line for event, line in zip(heard, told, strict=True))
    for process in (listener, reader):
        process.send_signal(signal.SIGINT)
    states, _ = reader.communicate(timeout=10)
    assert {line.split()[0] for line in states.splitlines()} == {"state", "event", "meta"}
    assert [line for line in states.splitlines() if line.startswith("event ")] == told
    listener.communicate(timeout=10)
    assert (listener.returncode, reader.returncode) == (130, 130)


def test_a_run_is_recorded_with_its_pictures_when_it_is_asked_to(tiny, tmp_path):
    folder = tmp_path / "session"
    words = ["--source", VIDEO, "--seconds", "4.6", "--fast", "--json"]
    run = call("run", *words, "--record", folder, "--video", *tiny)
    assert run.exit_code == 0, run.output
    session = read(folder)
    messages = [record.message for record in session]
    told = [message for message in messages if isinstance(message, Event)]
    assert sum(isinstance(message, State) for message in messages) == msgspec.json.decode(run.stdout)["frames"]
    assert told
    assert {event.id for event in told} == {int(path.name.split("-")[0]) for path in folder.glob("moments/*-apex.jpg")}
    assert len(list(session.stills())) > 0
    assert session.header.file == Path(VIDEO).name
    for event in (event for event in told if event.stage == "final"):
        loop = session.loop(event.id)
        assert event.onset_s - 0.5 <= loop.times[0] <= event.onset_s < event.apex_s < loop.times[-1]
        assert list(loop.times) == sorted(set(loop.times))
        assert decoded(loop.strip).shape == (2 * math.ceil(len(loop.times) / 8) * loop.side_px, 8 * loop.side_px, 3)
    fails(["run", "--source", VIDEO, "--record", folder, *tiny], folder, "holds")
    fails(["run", "--source", VIDEO, "--video", *tiny], "--record DIR")
    fails(["run", "--source", VIDEO, "--resume", *tiny], "--record DIR")
    again = call("run", *words[:-1], "--record", folder, "--resume", *tiny)
    assert f"recorded in {tmp_path / 'session-2'}" in again.stdout
    kept = [record.message for record in read(folder).journal()]
    assert kept == told
    assert {event.run for event in kept}.isdisjoint(r.message.run for r in read(tmp_path / "session-2").journal())


@pytest.mark.parametrize("words", [["--record", "a", "--replay", "b"], ["--video"]])
def test_the_page_records_what_it_can_and_says_what_it_cannot(words):
    found = call("view", *words)
    assert found.exit_code == 2
    assert found.stderr.startswith("error: --")


@pytest.mark.promise(
    "listeners that are stopped or killed",
    "the publisher is as quick as before",
    "1 of each",
)
def test_listeners_that_are_stopped_or_killed_do_not_slow_the_publisher(tiny, start):
    ports = on_free_ports()
    listeners = [start("listen", *ports) for _ in range(2)]
    every_frame = ["--set", "budget.enabled=false", "--set", "source.late_s=0"]
    words = ["--source", VIDEO, "--seconds", "2.5", "--json", "--set", "publish.landmarks=true", *every_frame]
    runner = start("run", *words, *tiny, *ports)
    for listener in listeners:
        until_line(listener.stdout, "state")
    listeners[0].send_signal(signal.SIGSTOP)
    listeners[1].kill()
    stdout, stderr = runner.communicate(timeout=60)
    listeners[0].send_signal(signal.SIGCONT)
    assert runner.returncode == 0, stderr
    tree = msgspec.json.decode(stdout)
    assert tree["frames"] == 150
    assert tree["stages_ms"]["publish"]["p50"] < 10.0  # milliseconds; waiting for them would take seconds


def test_listening_ends_after_so_many_seconds_although_nobody_publishes(start):
    began = time.monotonic()
    listener = start("listen", "--seconds", "0.5", *on_free_ports())
    assert listener.communicate(timeout=30) == ("", "")
    assert listener.returncode == 0
    assert time.monotonic() - began < 15


@pytest.mark.promise(
    "SIGINT while a command starts",
    "exit code 130, no traceback",
    "5 moments of `run`",
)
@pytest.mark.parametrize("imported", ["msgspec", "typer", "cv2", "realtime.pipeline.pipeline", "openvino"])
def test_ctrl_c_while_it_starts_ends_with_130_and_without_a_traceback(tiny, start, imported):
    process = start("run", "--source", VIDEO, *tiny, python=("-X", "importtime"))
    until_line(process.stderr, rf"\| +{re.escape(imported)}$")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    assert process.returncode == 130


@pytest.mark.promise(
    "SIGINT and SIGTERM while frames flow",
    "exit code 130, and the summary",
    "2 signals",
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_frames_flow_ends_with_130_and_the_summary(tiny, start, number):
    ports = on_free_ports()
    listener = start("listen", *ports)
    process = start("run", "--source", VIDEO, *tiny, *ports)
    until_line(listener.stdout, "face  1")
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "")
    frames = next(int(line.split()[1]) for line in stdout.splitlines() if line.startswith("frames"))
    assert 0 < frames < 1500


def test_a_demo_of_the_first_seconds_ends_with_what_was_heard_and_its_score(tiny, start):
    # However busy the machine is: what is tried here is what is heard, not how fast.
    process = start(
        "demo", "--seconds", "4.6", "--json", "--set", "source.late_s=0", "--set", "budget.enabled=false", *tiny
    )
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    tree = msgspec.json.decode(stdout)
    assert (tree["frames"], tree["gaps"], len(tree["faces"])) == (pytest.approx(276, abs=30), 0, 1)
    assert tree["latency_ms"]["p95"] > tree["stages_ms"]["encode"]["p50"] > 0.0
    assert tree["rss_mb"] > 100.0
    assert (tree["truth"]["micro"], len(tree["events"])) == (1, 1)


def test_a_demo_shows_its_page_and_what_it_heard_until_ctrl_c_ends_all_three_processes(tiny, start):
    demo = start("demo", *tiny, "--set", "view.port=0")
    lines = until_line(demo.stdout, "Open this: http")
    address = lines[-1].split()[-1]
    with urllib.request.urlopen(address, timeout=20) as page:
        assert b"Glimpse" in page.read()
    until_line(demo.stdout, "^event ")
    children = psutil.Process(demo.pid).children()
    demo.send_signal(signal.SIGINT)
    stdout, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "micro-expressions " in stdout
    assert len(children) == 2
    assert not any(child.is_running() for child in children)


def test_a_reader_that_goes_away_ends_a_run_quietly(tiny):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "realtime", "run", "--source", VIDEO, *tiny]
    process = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert process.stderr == ""
    assert process.returncode == 0
