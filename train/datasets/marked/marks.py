"""Which expressions real clips show: `marks.csv` says what happens, `clips.csv` in which files, and of whom.

The clips are no part of the repository; whoever has them names their folder. `clips.csv` has a row for each:

- `clip`: its path in that folder; `person`: who is in it, by a name of ours;
- `people`: whether that person may be looked at to choose between engines and settings ("choosing": they may train
  too) or only afterwards ("testing"). Nobody is both, and the split is never made anew;
- `sha256`: its first 16 digits, so that marks are never laid over another file.

`marks.csv` has a row for each visible expression, in seconds of its clip:

- `onset`, `apex` (it has its full height), `held` (it still has), `offset` (it is over, or turns into the next);
- `class`: negative, positive, surprise, or others where none fits; `label`: one of FER+, or a word for others;
- `note`: what can be seen.

They were proposed by how far mouth corners, brows, lids, lips and chin lie from rest in landmarks freed of the head,
then corrected by eye on sheets of frames. A row of class `unsure` has no apex: what is told in it counts neither way.
What has no row (speech, blinks, turns, hands, stillness) shows nothing that should be told.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

from realtime.engine.package.manifest import sha256
from realtime.errors import DataError
from realtime.labels import COMPOSITE, FERPLUS
from train.datasets.annotation.table import TableRow, read_table

FOLDER = Path(__file__).resolve().parent
People = Literal["choosing", "testing"]
Class = Literal["negative", "positive", "surprise", "others", "unsure"]
DIGITS = 16
MOMENTS = ("onset", "apex", "held", "offset")


@dataclass(frozen=True, slots=True)
class Mark:
    """One visible expression, or a stretch of which nobody is sure: then apex and held are its middle."""

    onset_s: float
    apex_s: float
    held_s: float
    offset_s: float
    class_: Class
    label: str

    @property
    def counts(self) -> bool:
        return self.class_ != "unsure"


@dataclass(frozen=True, slots=True)
class MarkedClip:
    """A clip and all that is marked in it, in order."""

    id: str  #: its path in the folder of clips
    path: Path
    person: str
    people: People
    sha256: str  #: its first digits
    marks: tuple[Mark, ...]

    @property
    def counting(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.counts)


def read(clips: Path, tables: Path = FOLDER, people: People | None = None) -> list[MarkedClip]:
    """The clips of the folder `clips` as the two files in `tables` have them, of all people or of `people`.

    One DataError lists all that is wrong; files of the others are not looked at.
    """
    files = read_table(tables / "clips.csv", {name: (name,) for name in ("clip", "person", "people", "sha256")})
    rows = read_table(tables / "marks.csv", {name: (name,) for name in ("clip", *MOMENTS, "class", "label")})
    known = {row["clip"] for row in files}
    wanted = [row for row in files if people in (None, row["people"])]
    problems = [
        *_sides(files),
        *_files(wanted, clips),
        *(f"{row.where}: {problem}" for row in rows for problem in _row(row, known)),
    ]
    if not problems:
        found = [_clip(row, clips, [mark for mark in rows if mark["clip"] == row["clip"]]) for row in wanted]
        problems = [problem for clip in found for problem in _order(clip)]
    if problems:
        todo = f"give their folder, correct {tables}, or train without: marked.clips="
        raise DataError(f"the marked clips of {clips} cannot be used; {todo}", problems)
    return found


def among(clips: Sequence[MarkedClip], only: Collection[str] = (), without: Collection[str] = ()) -> list[MarkedClip]:
    """Those of the people `only`, or of all, and of nobody in `without`; DataError where one of either is in none."""
    known = {clip.person for clip in clips}
    if unknown := sorted({*only, *without} - known):
        raise DataError(f"no marked clip is of {', '.join(unknown)}; wanted some of {', '.join(sorted(known))}")
    return [clip for clip in clips if clip.person in (only or known) and clip.person not in without]


def _sides(rows: Sequence[TableRow]) -> Iterator[str]:
    """Who is on no side, or on both."""
    sides: dict[str, str] = {}
    for row in rows:
        side = row["people"]
        if side not in get_args(People):
            yield f"{row.where}: people is {side!r}, wanted choosing or testing"
        if sides.setdefault(row["person"], side) != side:
            yield f"{row.where}: {row['person']} is on both sides; wanted each person on one"


def _files(rows: Sequence[TableRow], clips: Path) -> Iterator[str]:
    """Which files are missing, or others than were marked."""
    for row in rows:
        name, path = row["clip"], clips / row["clip"]
        if not path.is_file():
            yield f"no clip {path}"
        elif (found := sha256(path)[:DIGITS]) != row["sha256"]:
            yield f"{name} is another file than was marked: sha256 {found}, wanted {row['sha256']}"


def _row(row: TableRow, known: set[str]) -> Iterator[str]:
    """What is wrong with one mark alone."""
    if row["clip"] not in known:
        yield f"clips.csv has no {row['clip']!r}; add it there"
    class_, label = row["class"], row["label"]
    if class_ not in get_args(Class):
        yield f"class is {class_!r}, wanted one of {', '.join(get_args(Class))}"
    elif class_ in COMPOSITE.values() or class_ == "surprise":
        if label not in FERPLUS or COMPOSITE.get(label, label) != class_:
            yield f"label is {label!r}, which is no {class_} one of FER+"
    elif bool(label) == (class_ == "unsure"):
        yield f"label is {label!r}; wanted a word for others, and nothing for unsure"
    times = _moments(row)
    if any(math.isnan(time) for time in times) or list(times) != sorted(times) or times[0] == times[-1] or times[0] < 0:
        wanted = "onset and offset" if class_ == "unsure" else "onset, apex, held and offset"
        yield f"{', '.join(row[name] for name in MOMENTS)} are not {wanted} in seconds and in order"


def _moments(row: TableRow) -> tuple[float, float, float, float]:
    """NaN where there is no number."""
    try:
        onset, offset = float(row["onset"]), float(row["offset"])
        middle = (onset + offset) / 2
        apex, held = (middle, middle) if row["class"] == "unsure" else (float(row["apex"]), float(row["held"]))
    except ValueError:
        return math.nan, math.nan, math.nan, math.nan
    return onset, apex, held, offset


def _clip(row: TableRow, clips: Path, marks: Sequence[TableRow]) -> MarkedClip:
    made = [Mark(*_moments(each), _class(each["class"]), each["label"]) for each in marks]
    people: People = "testing" if row["people"] == "testing" else "choosing"
    known = tuple(sorted(made, key=_onset))
    return MarkedClip(row["clip"], clips / row["clip"], row["person"], people, row["sha256"], known)


def _class(name: str) -> Class:
    return next(known for known in get_args(Class) if known == name)


def _onset(mark: Mark) -> float:
    return mark.onset_s


def _order(clip: MarkedClip) -> Iterator[str]:
    for before, after in pairwise(clip.marks):
        if after.onset_s < before.offset_s:
            yield f"{clip.id}: one begins at {after.onset_s:g} s, before another ends at {before.offset_s:g} s"


def moved(mark: Mark, begin_s: float, shift_s: float, speed: float) -> Mark:
    """`mark` on a clock that shows `shift_s` at the clip's `begin_s`, and runs so that all is `speed` times as fast."""
    onset, apex, held, offset = (
        shift_s + (at - begin_s) / speed for at in (mark.onset_s, mark.apex_s, mark.held_s, mark.offset_s)
    )
    return replace(mark, onset_s=onset, apex_s=apex, held_s=held, offset_s=offset)
