"""Run one part of the pipeline in a thread of its own, a few items ahead of the rest."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

POLL_S = 0.1  # how soon a stop is noticed by a thread that waits


class Prefetch(Generic[T]):
    """Iterates over `items` from a thread; an error there is raised here. Waits when `size` items lie ready.

    Nothing is dropped: what must not wait, a camera, drops and counts in its own queue.
    """

    def __init__(self, items: Iterator[T], size: int, name: str = "ahead") -> None:
        self._items = items
        self._queue: Queue[tuple[bool, T | BaseException | None]] = Queue(size)
        self._stopped = False  # no Event: a signal handler calls `stop`, and must not wait for a lock
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while not self._stopped:
            try:
                more, item = self._queue.get(timeout=POLL_S)
            except Empty:
                continue
            if more:
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return

    def stop(self) -> None:
        """End the iteration soon, also when nothing comes; what lies ready is lost. Any thread may call this."""
        self._stopped = True

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self.stop()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(True, item):
                    return
            self._put(False, None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are used
            self._put(False, error)
        finally:
            if isinstance(self._items, Generator):
                self._items.close()  # here and now: what it holds is free for others when the thread has ended

    def _put(self, more: bool, item: T | BaseException | None) -> bool:
        while not self._stopped:
            try:
                self._queue.put((more, item), timeout=POLL_S)
            except Full:
                continue
            return True
        return False
