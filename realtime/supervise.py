"""Keeps processes running: one that dies is started again, and none outlives the one that started them."""

from __future__ import annotations

import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from realtime.errors import ViewError

log = logging.getLogger(__name__)

#: A process that lives for less did not come up.
AT_ONCE_S = 10.0
#: So many times in a row, and it never will; once it lived longer it is started again however often it dies.
MOST_AT_ONCE = 4
#: Pause before a dead process is started again; it doubles up to the other.
PAUSE_FIRST_S, PAUSE_MOST_S = 0.5, 8.0
#: How long processes may take to end when they are told to.
GOODBYE_S = 8.0
POLL_S = 0.05
#: How a command of ours begins its last words.
ERROR = "error: "
LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Command:
    """A process to keep: what it is called in messages, and its command line."""

    name: str
    line: Sequence[str]
    quiet: bool = False  #: leave out what it prints, but not its errors


def glimpse(*arguments: str) -> list[str]:
    """The command line of `python -m realtime` with these arguments, which ends when its parent does."""
    return [sys.executable, "-m", "realtime.supervise", *arguments]


class Supervisor:
    """Runs `commands` until `stop`; `told` gets a line for each that was started again."""

    def __init__(self, commands: Sequence[Command], told: Callable[[str], None], at_once_s: float = AT_ONCE_S) -> None:
        self._kept = [_Kept(command, told, at_once_s) for command in commands]
        self._stopping = threading.Event()

    def run(self) -> None:
        """Start them all and keep them; ViewError, after ending the rest, where one cannot be kept."""
        try:
            while not self._stopping.is_set():
                for kept in self._kept:
                    kept.turn()
                self._stopping.wait(POLL_S)
        finally:
            self._end()

    @contextmanager
    def running(self) -> Iterator[Callable[[], bool]]:
        """`run` in a thread meanwhile; what is given says whether it still does, and raises what ended it."""
        with ThreadPoolExecutor(1, "supervisor") as pool:
            future = pool.submit(self.run)

            def going() -> bool:
                return future.result() is not None if future.done() else not self._stopping.is_set()

            try:
                yield going
            finally:
                self.stop()

    def stop(self) -> None:
        """End them all soon; a signal handler may call this."""
        self._stopping.set()

    def pid(self, name: str) -> int | None:
        """The process of this name, None while it is down."""
        return next(kept.pid for kept in self._kept if kept.name == name)

    def _end(self) -> None:
        for kept in self._kept:
            kept.terminate()
        until = time.monotonic() + GOODBYE_S
        for kept in self._kept:
            kept.wait(until - time.monotonic())


class _Kept:
    """One process, its lives and its last words."""

    def __init__(self, command: Command, told: Callable[[str], None], at_once_s: float) -> None:
        self.name = command.name
        self._command, self._told, self._at_once_s = command, told, at_once_s
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._words: deque[str] = deque(maxlen=LAST_LINES)
        self._error: list[str] = []  # the words from the one on that says why it ends
        self._lives = self._failures = 0
        self._stayed = False  # at least once
        self._began = self._due = 0.0

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def turn(self) -> None:
        """Start it if that is due, and see whether it still lives."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self._start()
        elif (code := self._process.poll()) is not None:
            self._process = None
            self._bury(code)

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self, timeout_s: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(timeout_s, 0.0))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end when it was told to, and is killed", self.name)
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._lives += 1
        self._began = time.monotonic()
        self._words.clear()
        self._error.clear()
        self._process = subprocess.Popen(
            self._command.line,
            text=True,
            errors="replace",
            stdin=subprocess.PIPE,  # never written to: it ends with this process, however that ends
            stdout=subprocess.DEVNULL if self._command.quiet else None,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others in order
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if self._lives > 1:
            self._tell(f"the {self.name} is started again")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._words.append(line.rstrip())
            if self._error or line.startswith(ERROR):
                self._error.append(line)  # to be said once: as the error of all, or when it is started again
            else:
                sys.stderr.write(line)
                sys.stderr.flush()

    def _bury(self, code: int) -> None:
        assert self._reader is not None
        self._reader.join(timeout=1.0)  # its last words are on their way
        at_once = time.monotonic() - self._began < self._at_once_s
        self._failures = self._failures + 1 if at_once else 0
        self._stayed = self._stayed or not at_once
        if at_once and self._lives == 1 and self._error:  # it said what to do, and waits for that
            raise ViewError("".join(self._error).removeprefix(ERROR).rstrip())
        if code and not self._stayed and self._failures >= MOST_AT_ONCE:
            raise ViewError(self._why(code))
        sys.stderr.writelines(self._error)
        pause = min(PAUSE_FIRST_S * 2.0 ** min(self._failures, 10), PAUSE_MOST_S)
        self._due = time.monotonic() + pause
        self._tell(f"the {self.name} ended ({_how(code)}); next try in {pause:g} s")

    def _tell(self, text: str) -> None:
        log.info("%s", text)
        self._told(text)

    def _why(self, code: int) -> str:
        times = "" if self._failures < 2 else f", {self._failures} times in a row"
        said = "\n  ".join(self._words) or "nothing"
        return f"the {self.name} ended at once ({_how(code)}){times}, and is needed. It said:\n  {said}"


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _end_with_parent() -> None:
    """Wait for the pipe to the parent to break, which it does even when the parent is killed."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GOODBYE_S)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    runpy.run_module("realtime", run_name="__main__", alter_sys=True)
