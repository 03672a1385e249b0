"""Rows of a table and a tree of pictures -> samples, with everything that is wrong listed, not only the first.

Frame numbers become seconds here, from the first frame of the clip. Where no coder gave an onset, it is the clip's
first frame; an offset, its last, or in a long video as far after the apex as the onset lies before it; an apex,
the middle, which costs a recogniser little (organisers of MEGC 2019). `Sample.estimated` names what was filled in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from realtime.errors import DataError
from realtime.records import Kind
from train.datasets.annotation.action_units import parse
from train.datasets.annotation.recorded import count_frames
from train.datasets.annotation.sample import Recording, Sample
from train.datasets.annotation.table import TableRow, missing, whole
from train.datasets.annotation.tree import Tree, plain

Moment = Literal["onset", "apex", "offset"]

AROUND_S = 1.0  # of a long video, so much before the onset and after the offset belongs to the clip


@dataclass(frozen=True, slots=True)
class Entry:
    """What a data set's loader makes of a row: where the clip lies and what was coded, still as text."""

    clip: str  #: the sample's id before it is made fit for file names
    subject: str
    label: str
    places: tuple[str, ...]  #: where its folder of pictures, still or video may lie, from `Tree.base`
    fps: float
    moments: Mapping[Moment, str]  #: frame numbers; "" or a sign such as "/" where none was given
    action_units: str = ""
    kind: Kind | None = "micro"
    long: bool = False  #: the pictures are a long video, of which the clip is a part


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell that is known to be wrong."""

    clip: str
    moment: Moment
    found: str | None  #: "" where nothing was coded; None stands for whatever differs from `used`
    used: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read; `label` is still the coder's until a label set is applied."""

    samples: tuple[Sample, ...]
    labels: Mapping[str, str]  #: file and row -> label, of every row that names a clip, be it whole or not
    problems: tuple[str, ...]
    corrections: tuple[str, ...]  #: that were made


def assemble(
    rows: Iterable[TableRow], entry: Callable[[TableRow], Entry], tree: Tree, corrections: Sequence[Correction] = ()
) -> Reading:
    """`entry` of every row as a sample; a DataError of one row is a problem of that row."""
    samples, labels, problems, made = [], {}, [], []
    for row in rows:
        try:
            mended, said = _correct(entry(row), corrections)
            labels[row.where] = mended.label
            made += [f"{row.where}: {each}" for each in said]
            samples.append(_sample(mended, tree))
        except DataError as error:  # noqa: PERF203  a row that is wrong must not hide the next one
            problems += [f"{row.where}: {each}" for each in error.problems or [str(error)]]
    twice = [id for id, count in Counter(sample.id for sample in samples).items() if count > 1]
    problems += [f"{id}: listed more than once; leave all but one out" for id in twice]
    return Reading(tuple(samples), labels, tuple(problems), tuple(made))


def coding_sheet(
    onset: str = "OnsetFrame",
    apex: str = "ApexFrame",
    offset: str = "OffsetFrame",
    units: str = "Action Units",
    label: str = "Estimated Emotion",
) -> dict[str, tuple[str]]:
    """The columns of a coding sheet by its headers; most have those of CASME II."""
    moments = {"onset": (onset,), "apex": (apex,), "offset": (offset,)}
    return {"subject": ("Subject",), "clip": ("Filename",), **moments, "units": (units,), "label": (label,)}


def moments(row: TableRow) -> dict[Moment, str]:
    """The cells of the columns onset, apex and offset."""
    return {"onset": row["onset"], "apex": row["apex"], "offset": row["offset"]}


def number(text: str) -> int:
    """The only number in a subject's name: 7 of "sub07", "07", "7" and "s7"."""
    found = re.findall(r"[0-9]+", text)
    if len(found) != 1:
        raise DataError(f"subject {text!r}, wanted a name with one number such as 07; correct the cell")
    return int(found[0])


def _correct(entry: Entry, corrections: Sequence[Correction]) -> tuple[Entry, list[str]]:
    said = []
    for correction in corrections:
        cell = entry.moments[correction.moment]
        wrong = cell != correction.used if correction.found is None else _same(cell, correction.found)
        if plain(correction.clip) == plain(entry.clip) and wrong:
            entry = replace(entry, moments={**entry.moments, correction.moment: correction.used})
            said.append(f"{entry.clip}: {correction.moment} {cell!r}, used {correction.used}: {correction.why}")
    return entry, said


def _same(cell: str, found: str) -> bool:
    return cell == found or (found == "" and missing(cell))


def _sample(entry: Entry, tree: Tree) -> Sample:
    """DataError lists all that is wrong with the cells, else all that is wrong with the pictures."""
    checks: list[Callable[[], object]] = [partial(tree.locate, *entry.places), partial(parse, entry.action_units)]
    checks += [partial(whole, text) for text in entry.moments.values() if not missing(text)]
    _refuse(entry, [problem for check in checks for problem in _complaints(check)])
    path = tree.locate(*entry.places)
    numbers = tree.pictures(path) if path.is_dir() else range(count_frames(path))
    _refuse(entry, [] if numbers else [f"no numbered pictures in {path}; unpack it anew, or leave the row out"])
    onset, apex, offset, estimated = _moments(entry, min(numbers), max(numbers))
    around = round(AROUND_S * entry.fps) if entry.long else 0
    first = max(onset - around, min(numbers)) if entry.long else min(numbers)
    last = min(offset + around, max(numbers)) if entry.long else max(numbers)
    _refuse(entry, [*_misplaced(onset, apex, offset, numbers), *_holes(first, last, numbers)])
    return Sample(
        id=re.sub(r"[^A-Za-z0-9_-]", "_", entry.clip),
        subject=entry.subject,
        label=entry.label,
        onset_s=(onset - first) / entry.fps,
        apex_s=(apex - first) / entry.fps,
        offset_s=(offset - first) / entry.fps,
        raw_label=entry.label,
        kind=entry.kind,
        action_units=parse(entry.action_units),
        estimated=estimated,
        recording=Recording(path, entry.fps, first, last),
    )


def _refuse(entry: Entry, problems: Sequence[str]) -> None:
    if problems:
        raise DataError(entry.clip, [f"{entry.clip}: {problem}" for problem in problems])


def _complaints(check: Callable[[], object]) -> Sequence[str]:
    try:
        check()
    except DataError as error:
        return error.problems or (str(error),)
    return ()


def _moments(entry: Entry, first: int, last: int) -> tuple[int, int, int, tuple[str, ...]]:
    """Onset, apex, offset, and which of them are estimates."""
    given = {moment: whole(text) for moment, text in entry.moments.items() if not missing(text)}
    onset = given.get("onset")
    # CAS(ME)^2 and CAS(ME)^3 write 0 where an apex or offset was not seen.
    given = {moment: at for moment, at in given.items() if moment == "onset" or at > 0 or not onset}
    if entry.long and (onset is None or len(given) < 2):
        _refuse(entry, ["no onset, or neither apex nor offset: where in the video? Fill them in, or leave the row out"])
    onset = first if onset is None else onset
    rest = min(2 * given.get("apex", last) - onset, last) if entry.long else last
    offset = given.get("offset", rest)
    apex = given.get("apex", (onset + offset) // 2)
    return onset, apex, offset, tuple(moment for moment in ("onset", "apex", "offset") if moment not in given)


def _misplaced(onset: int, apex: int, offset: int, numbers: Collection[int]) -> list[str]:
    span = f"the pictures {min(numbers)} to {max(numbers)}"
    moments = {"onset": onset, "apex": apex, "offset": offset}
    outside = [
        f"{moment} {at} is outside {span}; correct the cell, or leave the row out"
        for moment, at in moments.items()
        if at not in numbers
    ]
    return (
        outside
        if onset <= apex <= offset
        else [*outside, f"apex {apex} is not between {onset} and {offset}; correct the cell"]
    )


def _holes(first: int, last: int, numbers: Collection[int]) -> list[str]:
    holes = [at for at in range(first, last + 1) if at not in numbers]
    named = ", ".join(map(str, holes[:8])) + (", ..." if len(holes) > 8 else "")
    return [f"{len(holes)} pictures are missing between {first} and {last}: {named}; unpack it anew"] if holes else []
