import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from realtime import supervise
from realtime.errors import ViewError
from realtime.supervise import Command, Supervisor, glimpse

PATIENCE_S = 20.0


def python(code):
    return [sys.executable, "-c", code]


SLEEPS = python("import time; time.sleep(60)")


def wait_for(happened):
    until = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
    return found


@pytest.fixture
def keep(monkeypatch):
    """Run a supervisor in a thread; the error that ended it comes with it."""
    monkeypatch.setattr(supervise, "PAUSE_FIRST_S", 0.05)
    running = []

    def start(*commands, at_once_s=10.0):
        told, ended = [], []
        supervisor = Supervisor(commands, told.append, at_once_s)

        def run():
            try:
                supervisor.run()
            except ViewError as error:
                ended.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        running.append((supervisor, thread))
        return supervisor, told, ended, thread

    yield start
    for supervisor, thread in running:
        supervisor.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.promise(
    "either process of `view` is killed with -9",
    "comes back; the other goes on",
    "1 of 2",
)
def test_one_that_is_killed_comes_back_and_the_other_goes_on(keep):
    supervisor, told, _, _ = keep(Command("one", SLEEPS), Command("other", SLEEPS))
    first, other = wait_for(lambda: supervisor.pid("one")), wait_for(lambda: supervisor.pid("other"))
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: (new := supervisor.pid("one")) != first and new)
    assert supervisor.pid("other") == other
    assert "the one ended (killed by SIGKILL)" in told[0]
    assert wait_for(lambda: len(told) > 1)  # it is told once it runs
    assert told[1] == "the one is started again"


def test_one_that_dies_at_once_again_and_again_ends_everything_with_its_last_words(keep):
    dies = python("import sys; print('no such thing', file=sys.stderr); sys.exit(3)")
    supervisor, told, ended, thread = keep(Command("one", dies), Command("other", SLEEPS))
    other = wait_for(lambda: supervisor.pid("other"))
    thread.join(PATIENCE_S)
    assert "4 times in a row" in ended[0]
    assert "no such thing" in ended[0]
    assert len([line for line in told if "started again" in line]) == 3
    assert not psutil.pid_exists(other)


def test_one_that_ran_well_once_is_started_again_however_often_it_dies(keep, monkeypatch, tmp_path):
    monkeypatch.setattr(supervise, "PAUSE_MOST_S", 0.1)
    ran = f"import pathlib, time; ran = pathlib.Path({str(tmp_path / 'ran')!r})\n"
    stays_once = ran + "ran.exists() or (ran.touch(), time.sleep(2))\n1 / 0"
    _, told, ended, _ = keep(Command("one", python(stays_once)), at_once_s=1.5)
    wait_for(lambda: len([line for line in told if "started again" in line]) > supervise.MOST_AT_ONCE + 2)
    assert ended == []
    assert "next try in 0.1 s" in told[-2]


def test_one_that_says_at_its_first_start_what_is_wrong_is_not_started_again(keep):
    dies = python("import sys; print('error: port in use', file=sys.stderr); sys.exit(2)")
    _, told, ended, thread = keep(Command("one", dies))
    thread.join(PATIENCE_S)
    assert "port in use" in ended[0]
    assert told == []


@pytest.mark.parametrize(("at_once_s", "pauses"), [(10.0, [0.1, 0.2, 0.4]), (0.0, [0.05, 0.05, 0.05])])
def test_pauses_grow_for_one_that_does_not_stay(monkeypatch, at_once_s, pauses):
    monkeypatch.setattr(supervise, "PAUSE_FIRST_S", 0.05)
    told = []
    kept = supervise._Kept(Command("one", python("")), told.append, at_once_s)

    def found():
        kept.turn()
        return [float(line.split()[-2]) for line in told if "next try" in line]

    assert wait_for(lambda: found() if len(found()) == 3 else None) == pauses


@pytest.mark.promise(
    "a process that does not end when it is told",
    "is killed; no orphan",
    "1 of 1",
)
def test_stopping_ends_all_even_those_that_do_not_listen(keep, monkeypatch):
    monkeypatch.setattr(supervise, "GOODBYE_S", 0.5)
    deaf = python(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    supervisor, _, _, thread = keep(Command("deaf", deaf), Command("other", SLEEPS))
    pids = [wait_for(lambda name=name: supervisor.pid(name)) for name in ("deaf", "other")]
    time.sleep(0.3)
    supervisor.stop()
    thread.join(PATIENCE_S)
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.promise(
    "the supervisor is killed with -9",
    "no process outlives it",
    "SIGKILL and SIGTERM",
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_do_not_outlive_a_supervisor_however_it_ends(number):
    listens = glimpse("listen", "--set", "publish.state_port=1", "--set", "publish.events_port=1")
    code = (
        "from realtime.supervise import *\n"
        "from realtime.console.options import interruptible\n"
        f"s = Supervisor([Command('one', {listens!r})], print)\n"
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.5), print(s.pid('one'), flush=True)), daemon=True).start()\n"
        "with interruptible(s.stop): s.run()"
    )
    parent = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(number)
    parent.wait(PATIENCE_S)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
