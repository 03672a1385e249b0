"""Goes on after sessions whose run ended: the place of the next one, and the events that they kept for replay."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import SessionError
from realtime.publish import Sized
from realtime.schema.message import Event, encode, topic_of
from realtime.session import layout
from realtime.session.read import read

log = logging.getLogger(__name__)


def going_on(folder: Path) -> tuple[Path, list[Path]]:
    """Where to record next, and the sessions before it, the oldest first: `folder`, then `folder`-2, -3 ...

    `folder` itself, and none before it, where that holds no session yet.
    """
    folder = folder.absolute()
    if not (folder / layout.HEADER).exists():
        return folder, []
    numbered = {
        int(found[1]): path
        for path in folder.parent.glob("*")
        if (found := re.fullmatch(re.escape(folder.name) + r"-([1-9]\d{0,8})", path.name)) and int(found[1]) > 1
    }
    before = [folder, *(numbered[number] for number in sorted(numbered))]
    last = before[-1]
    if len(before) > 1 and last.is_dir() and not any(last.iterdir()):  # one that was killed before it had begun
        return last, before[:-1]
    return folder.with_name(f"{folder.name}-{max(numbered, default=1) + 1}"), before


def kept_events(sessions: Sequence[Path], most: int) -> list[Sized]:
    """The newest `most` events that `sessions` kept, the oldest first; the log tells of one that cannot be read."""
    found: list[Sized] = []
    for folder in reversed(sessions):
        if len(found) >= most:
            break
        found = [*_of(folder, most - len(found)), *found]
    return found


def _of(folder: Path, most: int) -> list[Sized]:
    """Those of one session: what it can be read of, in rising numbers of one run."""
    kept: deque[Sized] = deque(maxlen=most)
    run, last = "", 0
    try:
        for record in read(folder).journal():
            event = record.message
            if isinstance(event, Event) and event.run and event.run == (run or event.run) and event.seq > last:
                run, last = event.run, event.seq
                kept.append((event, len(encode(topic_of(event), event))))
    except (SessionError, OSError) as error:
        log.warning("events of an earlier run will not be answered: %s", error)
    return list(kept)
