"""The truth of many videos in one table, .csv or .xlsx.

    video,kind,label,onset,apex,offset,person
    anna-1.mp4,micro,negative,12.40,12.55,12.81,anna
    anna-1.mp4,macro,positive,20.1,20.9,22.4,anna
    anna-1.mp4,blink,,31.20,,31.42,anna
    empty.mp4,,,,,,ben

`video` is a video or a folder of pictures; if it is relative, it is looked for beside the table. `kind` is micro,
macro, or the name of anything else that a face, a head or a lamp does: blink, gaze, speech, turn, light ... Moments are
seconds of the video's own clock; an expression needs all three, anything else may lack its apex. `label` may be empty,
and so may `person`, a column that only a split by people wants. A row with nothing but its video (and person) names one
in which nothing happens. Other columns are not read. What a detector says where the table has nothing is false.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DataError
from train.chain.truth import EXPRESSIONS, TrueEvent, Video, video
from train.datasets.annotation.labels import canonical
from train.datasets.annotation.table import LEGEND, Cells, read_sheets

COLUMNS = ("video", "kind", "label", "onset", "apex", "offset")
PERSON = "person"
MOMENTS = ("onset", "apex", "offset")


@dataclass(frozen=True, slots=True)
class VideoRow:
    """One row that is not empty."""

    number: int  #: as a spreadsheet counts
    cells: dict[str, str]

    @property
    def empty(self) -> bool:
        """Nothing but its video."""
        return not any(self.cells[name] for name in COLUMNS[1:])

    @property
    def kind(self) -> str:
        return self.cells["kind"].lower()

    def problems(self) -> list[str]:
        """What is wrong with it alone."""
        if not self.cells["video"]:
            return ["no video; name one"]
        if self.empty:
            return []
        if not self.kind:
            return ["no kind; wanted micro, macro or what else happens, such as blink"]
        unread = [name for name in MOMENTS if self._moment(name) is None and not self._spared(name)]
        wrong = [f"{name} is {self.cells[name]!r}, wanted seconds such as 12.4" for name in unread]
        return wrong or list(filter(None, [self.event().problem()]))

    def event(self) -> TrueEvent:
        """NaN where a moment is missing that must not be."""
        onset, apex, offset = map(self._moment, MOMENTS)
        ends = (math.nan if end is None else end for end in (onset, offset))
        return TrueEvent(self.kind, canonical(self.cells["label"]), next(ends), apex, next(ends))

    def _moment(self, name: str) -> float | None:
        try:
            found = float(self.cells[name])
        except ValueError:
            return None
        return found if math.isfinite(found) else None

    def _spared(self, name: str) -> bool:
        return name == "apex" and not self.cells[name] and self.kind not in EXPRESSIONS


def read(path: Path) -> list[Video]:
    """The videos of a table; one DataError lists all that is wrong, row by row."""
    rows = _rows(path)
    problems = [f"row {row.number}: {problem}" for row in rows for problem in row.problems()]
    by_video: dict[str, list[VideoRow]] = {}
    for row in rows:
        by_video.setdefault(row.cells["video"], []).append(row)
    base = path.absolute().parent
    for name, own in by_video.items():
        problems += [f"row {own[0].number}: {problem}" for problem in _problems(name, own, base)]
    if problems or not rows:
        raise DataError(f"{path} cannot be used; correct the table", problems or ["it names no video"])
    return [
        video(name, base / name, own[0].cells.get(PERSON, ""), [row.event() for row in own if not row.empty])
        for name, own in by_video.items()
    ]


def _rows(path: Path) -> list[VideoRow]:
    missing = list(COLUMNS)
    for sheet in read_sheets(path).values():
        for number, header in enumerate(sheet[:LEGEND]):
            names = [cell.strip().lower() for cell in header]
            missing = min(missing, [name for name in COLUMNS if name not in names], key=len)
            if not missing:
                places = {name: names.index(name) for name in (*COLUMNS, PERSON) if name in names}
                rows = list(enumerate(sheet, 1))[number + 1 :]
                return [VideoRow(n, _cells(cells, places)) for n, cells in rows if any(cells)]
    raise DataError(f"{path} has no header with all columns; add them", [f"no column {name}" for name in missing])


def _cells(cells: Cells, places: dict[str, int]) -> dict[str, str]:
    return {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}


def _problems(name: str, rows: Sequence[VideoRow], base: Path) -> list[str]:
    """Of a video as a whole."""
    if not name:
        return []
    found = [] if (base / name).exists() else [f"no video {base / name}"]
    people = sorted({row.cells.get(PERSON, "") for row in rows})
    if len(people) > 1:
        found.append(f"{name} is said to show {' and '.join(map(repr, people))}; wanted one person")
    if len(rows) > 1 and any(row.empty for row in rows):
        found.append(f"{name} has a row without an event beside others; leave that out")
    told = [tuple(row.cells.values()) for row in rows]
    return found + [f"row {row.number} says the same again" for i, row in enumerate(rows) if told[i] in told[:i]]
