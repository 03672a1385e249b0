"""One process that looks at file after file, with engines that it opened once."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from multiprocessing.connection import Connection

import msgspec

from realtime.analysis.look import Wanted, look
from realtime.analysis.results import Analysed
from realtime.config import Config
from realtime.errors import GlimpseError
from realtime.recognition.heads import engines

log = logging.getLogger(__name__)

#: Between two messages about how far a file is.
TELL_S = 0.1
Told = Analysed | float | GlimpseError  #: a result, a share of the file, or why no file can be looked at


def work(pipe: Connection, config: Config, wanted: Wanted, *, verbose: bool) -> None:
    """Take tasks from `pipe` until None comes, and give what becomes of each; where it breaks, the one it is with ends.

    Whoever started this decides what Ctrl-C means. What decoders print goes nowhere, unless `verbose` asks for it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("realtime").setLevel(logging.INFO if verbose else logging.WARNING)
    if not verbose:
        _silence()
    try:
        pair = engines(config)
    except GlimpseError as error:
        pipe.send(type(error)(str(error)))
        return
    said = _Warnings()
    logging.getLogger("realtime").addHandler(said)
    try:
        while (task := pipe.recv()) is not None:
            said.lines.clear()
            try:
                found = look(task, wanted, config, pair, _Teller(pipe))
            except GlimpseError as error:
                found = Analysed(file=str(task.file), error=str(error))
            except Exception as error:  # of this file alone: the others are still looked at
                log.exception("%s", task.file)
                found = Analysed(file=str(task.file), error=f"{type(error).__name__}: {error}; --verbose says where")
            pipe.send(_with(found, said.lines))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # whoever asked is gone


def _with(found: Analysed, lines: list[str]) -> Analysed:
    return msgspec.structs.replace(found, notes=(*found.notes, *dict.fromkeys(lines)))


class _Teller:
    """Tells shares of a file, a few times a second."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._due = pipe, 0.0

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + TELL_S
            self._pipe.send(share)


class _Warnings(logging.Handler):
    """Keeps what is warned of, to be told with the file."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._lock = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        with self._lock:
            self.lines.append(record.getMessage())


def _silence() -> None:
    """Libraries in C write to the descriptor itself."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
