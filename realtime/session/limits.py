"""What a session may hold at most: somebody else may have made it, to hang or to burst whoever reads it.

None of these is near what a recorder writes; each is refused before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import chain
from typing import Any

import msgspec

from realtime.errors import SessionError

#: Either way from 0, on any clock, in seconds: a year. A time axis of a thousand years is what fills the memory.
LONGEST_S = 366 * 86400.0
#: Frames, ids, pixels and shares stay below: 60 frames a second make a thousandth of it in a year.
MOST_NUMBER = 1e12
#: Letters of any text in a message: a sentence; why an engine fell back takes some lines.
LONGEST_TEXT = 10_000
#: Of an error that quotes what it found: a few lines of a terminal.
LONGEST_QUOTED = 400
#: When a session may have begun, in Unix seconds: calendars end with the year 9999, and no clock is set before 1970.
EPOCH_S, LAST_DATE_S = 0.0, 253_402_300_799.0
#: session.json takes 20 kB, the largest manifest that is shipped 65 kB.
MOST_HEADER_BYTES, MOST_MANIFEST_BYTES, MOST_MOMENT_BYTES = 1_000_000, 4_000_000, 300_000
#: One at work is a handful of engines.
MOST_ENGINES = 64
#: Tables within tables: a configuration has three levels, a recipe in a manifest five.
MOST_DEPTH = 32
#: The noise of a camera of 8,192 px a side, as JPEG; one that fits into no message is refused to whoever asks for it.
MOST_PICTURE_BYTES = 32_000_000
#: Frames of the strip of an event, their side, and action units that a face has.
MOST_FRAMES, MOST_SIDE_PX, MOST_UNITS = 200, 2_000, 64
#: A line of pictures.csv has four numbers.
MOST_LINE = 200
#: messages.bin of a month at 60 frames a second with landmarks is smaller; so is a month's index of pictures.
MOST_MESSAGES_BYTES, MOST_INDEX_BYTES = 400_000_000_000, 20_000_000_000
#: events.bin: `MOST_EVENTS` take a tenth, and it is read when a run begins.
MOST_JOURNAL_BYTES = 1_000_000_000
#: A page keeps places for at most tens of cameras, and a day's passers-by are fewer faces.
MOST_CAMERAS, MOST_FACES, MOST_EVENTS = 256, 10_000, 100_000
#: The largest vocabulary has eight labels; each becomes a column.
MOST_LABELS, MOST_STAGES, MOST_SENTENCES = 1_000, 100, 1_000
#: Of a zip file: its list of files, what all of them take unpacked, and how many times the file's own size that may be;
#: messages of a face that keeps still shrink to a tenth.
MOST_LIST_BYTES, MOST_UNPACKED_BYTES, MOST_TIMES_UNPACKED = 4_000_000, 8_000_000_000, 100
#: Of all pictures of events together in a page: about 2,000 events, and what a browser still opens.
MOST_SHOWN_BYTES = 64_000_000


def plausible(value: Any) -> bool:
    """Whether every number in a message, however deep, is finite and below `MOST_NUMBER`, and no text is too long."""
    kind = type(value)
    if kind is float or kind is int:
        return bool(-MOST_NUMBER < value < MOST_NUMBER)  # False for NaN
    if kind is str:
        return len(value) <= LONGEST_TEXT
    if kind is tuple and value and type(value[0]) is tuple:  # landmarks, by far the most: at once, NaN included
        return bool(sum(map(abs, chain.from_iterable(value))) < MOST_NUMBER)
    if kind is tuple:
        return all(map(plausible, value))
    if kind is dict:
        return all(map(plausible, value)) and all(map(plausible, value.values()))
    return not isinstance(value, msgspec.Struct) or all(map(plausible, msgspec.structs.astuple(value)))


def timely(*times_s: float | None) -> bool:
    """Whether each is a time that a recording can have."""
    return all(t is None or -LONGEST_S <= t <= LONGEST_S for t in times_s)


def shallow(value: Any, levels: int = MOST_DEPTH) -> bool:
    """Whether what JSON gave has so many levels at most."""
    if isinstance(value, dict):
        return levels > 0 and all(shallow(each, levels - 1) for each in value.values())
    if isinstance(value, list):
        return levels > 0 and all(shallow(each, levels - 1) for each in value)
    return True


def one_line(error: Exception) -> str:
    """What `error` says, which may quote a stranger's text: in one line, not too long, and without terminal codes."""
    said = str(error)[:LONGEST_QUOTED]
    return "".join(letter if letter.isprintable() else "?" for letter in said)


def check_count(found: Set[Any] | Mapping[Any, Any], most: int, what: str) -> None:
    """SessionError where more than `most` of `what` were found."""
    if len(found) > most:
        raise SessionError(f"more than {most} {what} in one session, which no recording has: was it made to do harm?")
