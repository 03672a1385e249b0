"""Several processes that look at files, so that all cores work; one that dies takes its own file with it alone."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import psutil

from realtime.analysis.look import FileTask, Wanted
from realtime.analysis.results import Analysed
from realtime.analysis.worker import work
from realtime.config import Config
from realtime.errors import GlimpseError

#: What one process takes, engines, decoder and pictures of 1080p together.
MEMORY_BYTES = 1_500_000_000
POLL_S = 0.2


def workers(files: int) -> int:
    """As many as there are files, cores that this process may use, and room in memory for."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(min(files, cores, int(psutil.virtual_memory().available // MEMORY_BYTES)), 1)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: FileTask | None = None


class Team:
    """Looks at `tasks` with `count` processes; a context manager, which ends them and removes what is half done.

    `told` hears the number of a file and its share, now and then, and when one is done.
    """

    def __init__(
        self,
        tasks: Sequence[FileTask],
        count: int,
        config: Config,
        wanted: Wanted,
        told: Callable[[int, float], object],
        *,
        verbose: bool,
    ) -> None:
        self._tasks, self._told = tasks, told
        self._place = {task.partial: number for number, task in enumerate(tasks)}
        self._waiting = deque(tasks)
        self._arguments = (config, wanted, verbose)
        self._context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
        self.results: dict[int, Analysed] = {}  #: by the number of the file, as far as there are any
        self._workers = [self._begin() for _ in range(count)]

    def run(self) -> list[Analysed]:
        """All results, in the order of the tasks; GlimpseError where no file can be looked at."""
        for worker in self._workers:
            self._next(worker)
        while self._workers:
            pipes = {worker.pipe: worker for worker in self._workers}
            for pipe in wait(list(pipes), POLL_S):
                self._hear(pipes[pipe])  # type: ignore[index]
            for dead in [
                worker for worker in self._workers if not worker.process.is_alive() and not worker.pipe.poll()
            ]:
                self._died(dead)
        return [self.results[number] for number in range(len(self._tasks))]

    def _begin(self) -> _Worker:
        here, there = self._context.Pipe()
        config, wanted, verbose = self._arguments
        process = self._context.Process(
            target=work, args=(there, config, wanted), kwargs={"verbose": verbose}, daemon=True
        )
        process.start()
        there.close()  # or the end of the process would not end the pipe
        return _Worker(process, here)

    def _next(self, worker: _Worker) -> None:
        worker.task = self._waiting.popleft() if self._waiting else None
        try:
            worker.pipe.send(worker.task)
        except (BrokenPipeError, ConnectionResetError):
            return  # it died, which is seen to
        if worker.task is None:
            self._workers.remove(worker)
            worker.process.join()

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._died(worker)
            return
        if isinstance(said, GlimpseError):
            raise said
        if worker.task is None:
            return
        number = self._place[worker.task.partial]
        if isinstance(said, Analysed):
            self._done(number, said)
            self._next(worker)
        else:
            self._told(number, said)

    def _died(self, worker: _Worker) -> None:
        """What it was with has failed; another one takes its place while there is something to do."""
        if worker not in self._workers:
            return
        worker.process.join(5.0)
        self._workers.remove(worker)
        if worker.task is not None:
            shutil.rmtree(worker.task.partial, ignore_errors=True)
            why = f"the process that looked at it ended ({_how(worker.process.exitcode)}); is the file damaged?"
            self._done(self._place[worker.task.partial], Analysed(file=str(worker.task.file), error=why))
        if self._waiting:
            self._workers.append(self._begin())
            self._next(self._workers[-1])

    def _done(self, number: int, result: Analysed) -> None:
        self.results[number] = result
        self._told(number, 1.0)

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            if worker.task is not None:
                shutil.rmtree(worker.task.partial, ignore_errors=True)


def _how(code: int | None) -> str:
    return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
