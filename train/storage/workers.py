"""The same work on many things, shared among processes that each open once what it takes, such as the models."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from typing import Any, TypeVar

import cv2
from tqdm import tqdm

from realtime.errors import DataError, GlimpseError

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[T], R]
Opening = Callable[[], AbstractContextManager[Work[T, R]]]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # read when a process loads numpy


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


Results = Iterator[tuple[str, R | _Failed]]  #: as they come


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def run(opening: Opening[T, R], tasks: Mapping[str, T], title: str, workers: int | None = None) -> list[R]:
    """What the work makes of each task, in order; a bar named `title` counts them.

    `opening()` gives the work, once in each of `workers` processes (None: one for each core), which it, tasks and
    results reach by pickle; with one, all happens in this very process. A task that raises an error of ours ends
    nothing: when all others are done, one DataError lists every such task with its reason. Any other error, and
    Ctrl-C, end all at once.
    """
    count = min(workers or cores(), len(tasks))
    with _here(opening, tasks) if count <= 1 else _processes(opening, tasks, count) as results:
        found = dict(tqdm(results, title, len(tasks)))
    failed = [f"{name}: {result.reason}" for name in tasks if isinstance(result := found[name], _Failed)]
    if failed:
        raise DataError(
            f"{len(failed)} of {len(tasks)} of {title} cannot be prepared, all others are; mend or leave out", failed
        )
    return [result for name in tasks if not isinstance(result := found[name], _Failed)]


@contextmanager
def ready(work: Work[T, R]) -> Iterator[Work[T, R]]:
    """For `run`, of work that takes nothing to be opened: `partial(ready, work)`."""
    yield work


@contextmanager
def _here(opening: Opening[T, R], tasks: Mapping[str, T]) -> Iterator[Results[R]]:
    with opening() as work:
        yield ((name, _attempt(work, task)) for name, task in tasks.items())


@contextmanager
def _processes(opening: Opening[T, R], tasks: Mapping[str, T], count: int) -> Iterator[Results[R]]:
    before = set(active_children())
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (opening,))
    try:
        with _starting():
            names = {pool.submit(_do, task): name for name, task in tasks.items()}
            pool.submit(os.getpid)  # or nobody watches the process that the last task began, until a result comes
        yield ((names[future], future.result()) for future in as_completed(names))
    except BrokenProcessPool:
        raise GlimpseError(
            "a process died that prepared a part of the data, perhaps for want of memory; `prepare` with fewer "
            "--workers goes on with what is missing"
        ) from None
    except BaseException:
        for child in set(active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown()


@contextmanager
def _starting() -> Iterator[None]:
    """Processes that start here have one thread in BLAS and are deaf to Ctrl-C: their parent hears it and ends them."""
    before = {name: os.environ.get(name) for name in THREADS}
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            os.environ.update({} if value is None else {name: value})
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)


_work: Work[Any, Any]
_open = ExitStack()  # until its process ends


def _begin(opening: Opening[T, R]) -> None:
    global _work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _work = _open.enter_context(opening())


def _end_with_parent() -> None:
    """Or it would wait for more for ever, if its parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: Any) -> Any:
    return _attempt(_work, task)


def _attempt(work: Work[T, R], task: T) -> R | _Failed:
    try:
        return work(task)
    except GlimpseError as error:
        return _Failed(str(error))
