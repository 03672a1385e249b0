"""The examples that people copy, as programs of their own that cannot import Glimpse."""

import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import msgpack
import msgspec
import pytest
import zmq

from realtime.config import load
from realtime.publish import Answers, Publisher
from realtime.publish.connection.keys import make_keys
from realtime.schema.message import Clock, Done

CLIENTS = Path(__file__).resolve().parents[2] / "realtime" / "clients"
FREE = dict.fromkeys(("state_port", "events_port", "replay_port", "frames_port"), 0)
CONFIG = msgspec.structs.replace(load().publish, **FREE, rate_hz=0.0, linger_s=0.2)
PATIENCE_S = 30.0
#: Runs a program as if nothing but its own two libraries were installed.
BARE = "import runpy, sys; sys.modules.update(dict.fromkeys(('realtime', 'msgspec', 'numpy'))); del sys.argv[0]; "
BARE += "runpy.run_path(sys.argv[0], run_name='__main__')"


class Desk:
    """Knows the clock of a camera that started 5 s before this."""

    began = time.monotonic() - 5.0

    def camera_s(self):
        return time.monotonic() - self.began

    def answer(self, question):
        if question.__class__.__name__ != "AskClock":
            return Done()
        return Clock(monotonic_s=time.monotonic(), unix_s=time.time(), cameras={"room-1": self.camera_s()})


@contextmanager
def glimpse(at=CONFIG):
    """A publisher with its answers, and the configuration that leads to them."""
    with Publisher(at) as publisher, Answers(at, publisher, Desk()) as answers:
        ports = {"state_port": publisher.state_port, "events_port": publisher.events_port, "replay_port": answers.port}
        yield publisher, msgspec.structs.replace(at, **ports)


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """A folder with the example for Node and its packages, which are fetched."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on the path: the example for Node cannot be run")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "subscribe.mjs"):
        shutil.copy(CLIENTS / name, folder)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"npm could not fetch the packages: {done.stderr[-300:]}")
    return folder


@pytest.fixture(params=["subscribe.py", "subscribe.mjs"])
def subscriber(request, started):
    """Starts one of the two programs that print events."""
    folder = request.getfixturevalue("node") if request.param.endswith(".mjs") else None
    command = python("subscribe.py") if folder is None else ["node", str(folder / request.param)]
    return lambda at, *more: started(
        [*command, "--events-port", str(at.events_port), "--replay-port", str(at.replay_port), *more]
    )


def python(name):
    return [sys.executable, "-I", "-c", BARE, str(CLIENTS / name)]


class Program:
    """A process whose lines can be waited for."""

    def __init__(self, command, folder):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)
        self.out, self.err = [], []
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(
                target=lambda s=stream, kept=lines: kept.extend(map(str.rstrip, iter(s.readline, "")))
            ).start()

    def until(self, found):
        """Wait for something that it says."""
        deadline = time.monotonic() + PATIENCE_S
        while not (answer := found()):
            assert time.monotonic() < deadline, f"out {self.out}, err {self.err}"
            time.sleep(0.01)
        return answer

    def said(self, word):
        return self.until(lambda: next((line for line in self.err if word in line), None))

    def lines(self, count):
        self.until(lambda: len(self.out) >= count)
        return self.out


@pytest.fixture
def started(tmp_path):
    programs = []

    def start(command):
        programs.append(Program(command, tmp_path))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.wait()


def withheld(publisher, event):
    """Number and keep an event, and lose it on the way."""
    lost = msgspec.structs.replace(event, seq=publisher.last_event + 1, run=publisher.run)
    publisher.log.add(lost, 500)


def meet(program, publisher, event):
    """Send events until one is printed: a subscription takes a moment. The first number that was printed."""
    program.said("listening")
    program.until(lambda: publisher.event(event) and program.out)
    program.lines(publisher.last_event - int(program.out[0].split()[0]) + 1)
    return int(program.out[0].split()[0])


def numbers(program):
    return [int(line.split()[0]) for line in program.out]


def test_it_waits_for_glimpse_and_prints_every_event_from_then_on(subscriber, make):
    with glimpse() as (_, at):
        pass
    program = subscriber(at)
    assert str(at.replay_port) in program.said("waiting for Glimpse")
    with glimpse(at) as (publisher, _):
        program.said("listening for what follows event 0")
        publisher.event(make.event(7, 2.0))
        time.sleep(0.5)  # its subscription may come after that: the next one shows the gap
        publisher.event(make.event(8, 3.25, label="negative"))
        assert program.lines(2) == [
            "1 room-1 face 1 micro final surprise 0.81 2.000 s",
            "2 room-1 face 1 micro final negative 0.81 3.250 s",
        ]


def test_events_that_were_lost_on_the_way_are_asked_for_and_come_in_order(subscriber, make):
    event = make.event(7, 2.0)
    with glimpse() as (publisher, at):
        for _ in range(3):
            publisher.event(event)
        program = subscriber(at)
        first = meet(program, publisher, event)
        assert first == 4  # what was there before is not printed
        for _ in range(2500):  # more than one answer holds
            withheld(publisher, event)
        last = publisher.event(event).seq
        program.lines(last - 3)
        assert numbers(program) == list(range(4, last + 1))


def test_a_glimpse_that_began_anew_is_followed_from_its_first_event(subscriber, make):
    event = make.event(7, 2.0)
    with glimpse() as (publisher, at):
        program = subscriber(at)
        meet(program, publisher, event)
        for _ in range(20):
            publisher.event(event)
        before = len(program.lines(publisher.last_event))
    with glimpse(at) as (publisher, _):
        for _ in range(3):
            withheld(publisher, event)
        program.until(lambda: publisher.event(event) and len(program.out) > before)
        program.lines(before + publisher.last_event)
        assert numbers(program)[before:] == list(range(1, publisher.last_event + 1))
        assert publisher.run in program.said("started again")


def test_what_the_run_before_kept_comes_first_though_the_new_one_is_further(subscriber, make):
    event = make.event(7, 2.0)
    with glimpse() as (publisher, at):
        program = subscriber(at)
        first = meet(program, publisher, event)
        run, seq = publisher.run, publisher.last_event
    with glimpse(at) as (publisher, _):
        kept = [msgspec.structs.replace(event, seq=seq + more, run=run, face=77) for more in (1, 2)]
        publisher.outlive(lambda _: None, [(each, 500) for each in kept])
        for _ in range(seq + 20):
            withheld(publisher, event)
        program.until(lambda: publisher.event(event) and any("face 77" in line for line in program.out))
        program.lines(seq - first + 3 + publisher.last_event)
        assert numbers(program) == [*range(first, seq + 3), *range(1, publisher.last_event + 1)]


def test_another_version_is_told_and_ends_it(subscriber):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger = 0
        at = msgspec.structs.replace(CONFIG, events_port=9, replay_port=router.bind_to_random_port("tcp://127.0.0.1"))
        program = subscriber(at)
        assert router.poll(PATIENCE_S * 1000)
        sender, question = router.recv_multipart()
        assert msgpack.unpackb(question.removeprefix(b"ask\0")) == {
            "schema": 1, "ask": "events", "id": 1, "since": 2**53 - ("mjs" in str(program.process.args)), "run": "",
        }  # fmt: skip
        router.send_multipart([sender, b"answer\0" + msgpack.packb({"schema": 2, "answer": "events", "id": 1})])
        assert "version 2, I read 1" in program.said("version")
        assert program.process.wait(PATIENCE_S) == 1


def test_with_keys_it_is_let_in_and_without_it_is_not(subscriber, make, tmp_path):
    make_keys(tmp_path / "keys")
    with glimpse(msgspec.structs.replace(CONFIG, keys=str(tmp_path / "keys"))) as (publisher, at):
        stranger, friend = subscriber(at), subscriber(at, "--keys", str(tmp_path / "keys"))
        meet(friend, publisher, make.event(7, 2.0))
        stranger.said("waiting for Glimpse")
        assert stranger.out == []
        assert not any("listening" in line for line in stranger.err)


def test_a_slow_reader_of_states_has_a_fresh_one_and_tells_its_age(started, make):
    with glimpse() as (publisher, at):
        program = started(
            [*python("latest.py"), "--state-port", str(at.state_port), "--replay-port", str(at.replay_port)]
        )
        sent, desk = 0, Desk()
        deadline = time.monotonic() + PATIENCE_S
        while len(program.out) < 4 and time.monotonic() < deadline:
            publisher.state(msgspec.structs.replace(make.state(sent, make.face(3, 1.25)), t=desk.camera_s()))
            sent += 1
            time.sleep(0.01)
        ages = [
            float(re.fullmatch(r"room-1 frame \d+ taken (.+) ms ago: face 3 moves 1\.2", line)[1])
            for line in program.out
        ]
        assert min(ages) > 0.0
        assert sorted(ages)[1] < 50.0  # it reads twice a second; this machine may be busy now and then
        publisher.state(make.state(sent, camera="other"))
        program.until(lambda: any("other frame" in line and "taken ? ago: nobody" in line for line in program.out))


def test_the_typed_example_prints_states_and_events(started, make, tmp_path):
    code = re.search(r"```python\n(.*?)```", (CLIENTS / "README.md").read_text(encoding="utf-8"), re.S)[1]
    with glimpse() as (publisher, at):
        changes = [f"publish.{key}={getattr(at, key)}" for key in ("state_port", "events_port", "replay_port")]
        script = tmp_path / "typed.py"
        script.write_text(code.replace("load()", f"load(overrides={changes})"), encoding="utf-8")
        program = started([sys.executable, str(script)])
        program.until(
            lambda: publisher.state(make.state(1, make.face(3, 1.25))) or any("face 3" in each for each in program.out)
        )
        program.until(lambda: publisher.event(make.event(7, 2.0)) and any("surprise" in each for each in program.out))


def test_the_locked_packages_come_from_whatever_registry_is_set():
    lock = msgspec.json.decode((CLIENTS / "package-lock.json").read_bytes())
    assert all("resolved" not in package for package in lock["packages"].values())
    wanted = msgspec.json.decode((CLIENTS / "package.json").read_bytes())["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted


def test_the_folder_ships_with_glimpse_though_it_is_no_package():
    project = msgspec.toml.decode((CLIENTS.parents[1] / "pyproject.toml").read_bytes())
    assert "clients/*" in project["tool"]["setuptools"]["package-data"]["realtime"]
    assert not list(CLIENTS.rglob("__init__.py"))


@pytest.mark.parametrize(
    ("argument", "code", "first"), [("--help", 0, "node subscribe.mjs ["), ("--hots", 1, "Unknown")]
)
def test_the_example_for_node_says_how_it_is_called_and_what_it_lacks_without_a_traceback(argument, code, first):
    if not shutil.which("node"):
        pytest.skip("no node on the path: the example for Node cannot be run")
    command = ["node", str(CLIENTS / "subscribe.mjs"), argument]  # where nothing is installed beside it
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    said = done.stdout + done.stderr
    assert (done.returncode, said.startswith(first)) == (code, True)
    assert "--events-port" in said
    assert "    at " not in said
