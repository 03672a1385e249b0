import os
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import cv2
import pytest

from realtime.errors import DataError, GlimpseError
from train.storage import workers
from train.storage.workers import run

ROOT = Path(__file__).resolve().parents[3]
TOY = """
import os, time
from contextlib import contextmanager
import cv2
from realtime.errors import DataError

@contextmanager
def opening(folder):
    (folder / f"{os.getpid()}.open").touch()
    yield work

def work(task):
    if task == "bad":
        raise DataError("no good", ["because"])
    if task == "bug":
        raise ValueError("a bug")
    if task == "dead":
        os._exit(9)
    if task == "long":
        time.sleep(60)
    if task == "threads":
        return cv2.getNumThreads(), os.environ["OPENBLAS_NUM_THREADS"]
    return task, os.getpid()
"""
SCRIPT = """
import signal
import sys
from functools import partial
from pathlib import Path
import toy
from train.storage.workers import run

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background makes its programs deaf to it
    try:
        run(partial(toy.opening, Path(sys.argv[1])), {str(i): "long" for i in range(9)}, "toys", 2)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """How the work of a toy module is opened, here or in other processes."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy", raising=False)
    import toy

    return partial(toy.opening, tmp_path)


@pytest.fixture
def started(toy, tmp_path):
    """A program of its own, with two processes at work, and their numbers."""
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, tmp_path / "script.py", tmp_path]
    program = subprocess.Popen(command, env=environment, text=True, stdout=-1, stderr=-1, start_new_session=True)
    until(lambda: len(list(tmp_path.glob("*.open"))) == 2)
    yield program, [int(path.stem) for path in tmp_path.glob("*.open")]
    program.kill()
    program.communicate()


def until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(number):
    """Whether the process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False


def test_results_come_in_order_from_this_process_or_from_others(toy, tmp_path):
    tasks = {f"task {i}": i for i in range(20)}
    assert run(toy, tasks, "toys", 1) == [(i, os.getpid()) for i in range(20)]
    found = run(toy, tasks, "toys", 2)
    assert [value for value, _ in found] == list(range(20))
    processes = {process for _, process in found}
    assert os.getpid() not in processes
    assert len(processes) <= 2
    opened = {int(path.stem) for path in tmp_path.glob("*.open")}
    assert processes <= opened  # each opened what it takes once, whatever the number of its tasks
    assert not active_children()


def test_no_more_processes_than_tasks_and_by_default_one_for_each_core(toy, monkeypatch):
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert run(toy, {"only": 1}, "toys") == [(1, os.getpid())]
    monkeypatch.setattr(workers, "cores", lambda: 1)
    assert run(toy, {"one": 1, "two": 2}, "toys") == [(1, os.getpid()), (2, os.getpid())]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which cores a process may use")
def test_only_the_cores_that_this_process_may_use_count():
    assert workers.cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("count", [1, 2])
def test_tasks_that_fail_are_listed_when_all_others_are_done(toy, count, tmp_path, capfd):
    with pytest.raises(DataError) as failure:
        run(toy, {"a": "bad", "b": 1, "c": "bad", "d": 2}, "toys", count)
    assert str(failure.value).startswith("2 of 4 of toys cannot be prepared")
    assert failure.value.problems == ("a: no good\n  - because", "c: no good\n  - because")
    assert "4/4" in capfd.readouterr().err


@pytest.mark.parametrize("count", [1, 2])
def test_a_bug_ends_all_at_once(toy, count):
    began = time.monotonic()
    with pytest.raises(ValueError, match="a bug"):
        run(toy, {"a": "bug", "b": "long"}, "toys", count)
    assert time.monotonic() - began < 30
    assert not active_children()


def test_a_process_that_dies_is_told_in_one_error(toy):
    began = time.monotonic()
    with pytest.raises(GlimpseError, match="fewer --workers goes on with what is missing"):
        run(toy, {"a": "dead", "b": "long"}, "toys", 2)
    assert time.monotonic() - began < 30  # whichever process it was, the other's work is not waited for
    assert not active_children()


def test_each_process_has_one_thread_and_this_one_keeps_its_own(toy, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = cv2.getNumThreads()
    assert set(run(toy, {"a": "threads", "b": "threads"}, "toys", 2)) == {(1, "1")}
    assert cv2.getNumThreads() == before
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in os.environ


def test_ctrl_c_ends_all_processes_without_a_traceback(started):
    program, processes = started
    os.killpg(program.pid, signal.SIGINT)
    said, complained = program.communicate(timeout=20)
    assert said == "interrupted\n"
    assert "Traceback" not in complained
    until(lambda: not any(map(alive, processes)))


@pytest.mark.promise(
    "a process with workers is killed with -9",
    "no worker outlives it",
    "1 of 1",
)
def test_no_process_outlives_a_parent_that_is_killed(started):
    program, processes = started
    assert all(map(alive, processes))
    program.kill()
    until(lambda: not any(map(alive, processes)))
