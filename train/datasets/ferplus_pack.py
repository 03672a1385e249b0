"""FER-2013's pictures and the FER+ votes, as users have them -> `ferplus.npz`, which `ferplus` reads.

    webp           uint8 (B,)      every picture's grey levels as lossless WebP, one after another
    offsets        int64 (N + 1,)  picture i is webp[offsets[i] : offsets[i + 1]]
    votes          uint8 (N, 10)   of ten voters, in the order of vote_names
    usage          uint8 (N,)      index into usage_names
    names          str (N,)        of the pictures, without their suffix; rising within a split
    usage_names    str (3,)        train, valid, test: FER-2013's Training, PublicTest, PrivateTest
    vote_names     str (10,)       `labels.FERPLUS`, unknown, NF

Votes are fer2013new.csv of github.com/microsoft/FERPlus, 35887 rows. 173 have no name and no face. A name that occurs
twice with the same votes counts once; with different votes, it is not known which are the picture's, and it is left
out (`ferplus_images` takes the first row). Of the official files 35709 pictures remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import DataError
from realtime.records import Image
from train.datasets import ferplus_pixels
from train.datasets.ferplus import SPLITS
from train.datasets.ferplus_images import BASES, COLUMNS, VOTES, ballot, faceless, locate
from train.datasets.ferplus_pixels import SIDE_PX
from train.datasets.recorded import read_picture
from train.datasets.table import Row, read_table
from train.datasets.tree import Tree
from train.listing import first
from train.whole import writing

LOSSLESS = (cv2.IMWRITE_WEBP_QUALITY, 101)  # OpenCV's sign for it: qualities end at 100


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What tells a picture from all others; sorted, they are in the order of the file."""

    usage: int  #: index into `ferplus.SPLITS`
    name: str


Votes = tuple[int, ...]  # in the order of `ferplus_images.VOTES`
Pictures = Iterable[tuple[Key, Callable[[], Image]]]  # read when asked for; of one key, the last counts


@dataclass(frozen=True, slots=True)
class Packed:
    """What became of the rows."""

    pictures: Mapping[str, int]  #: split -> so many
    left_out: tuple[str, ...]  #: names that occur with different votes


def pack(images: Path, votes: Path, target: Path) -> Packed:
    """Write `target`, whole or not at all; DataError lists what is missing or wrong.

    `images` is a folder as `ferplus_images` reads it, or FER-2013's CSV.
    """
    if not images.exists():
        raise DataError(f"no {images}; give the folder that FER-2013 was unpacked to, or its CSV, with --images")
    if not votes.is_file():
        raise DataError(f"no table {votes}; give fer2013new.csv of github.com/microsoft/FERPlus with --votes")
    rows = read_table(votes, COLUMNS)
    counted = _counted(rows)
    ballots, left_out = _agreed(filter(None, counted))
    if not ballots:
        raise DataError(f"{votes} names no picture; give fer2013new.csv of github.com/microsoft/FERPlus with --votes")
    pictures = _of_table(images, rows, votes) if images.is_file() else _of_tree(images, ballots)
    coded = _coded(pictures, ballots)
    _write(target, ballots, coded)
    counts = {split: sum(key.usage == usage for key in ballots) for usage, split in enumerate(SPLITS)}
    return Packed(counts, left_out)


def _write(target: Path, ballots: Mapping[Key, Votes], coded: Mapping[Key, bytes]) -> None:
    keys = sorted(ballots)
    with writing(target) as file:
        np.savez(
            file,
            webp=np.frombuffer(b"".join(coded[key] for key in keys), np.uint8),
            offsets=np.cumsum([0, *(len(coded[key]) for key in keys)], dtype=np.int64),
            votes=np.array([ballots[key] for key in keys], np.uint8),
            usage=np.array([key.usage for key in keys], np.uint8),
            names=np.array([Path(key.name).stem for key in keys]),
            usage_names=np.array(SPLITS),
            vote_names=np.array(VOTES),
        )


def _counted(rows: Iterable[Row]) -> list[tuple[Key, Votes] | None]:
    """Of each row, None where there is no face; DataError lists all rows that are wrong."""
    found, problems = [], []
    for row in rows:
        try:
            found.append(None if faceless(row) else _entry(row))
        except DataError as error:  # noqa: PERF203  a row that is wrong must not hide the next one
            problems.append(f"{row.where}: {error}")
    _refuse(problems, "rows of votes are wrong; give fer2013new.csv of github.com/microsoft/FERPlus with --votes")
    return found


def _entry(row: Row) -> tuple[Key, Votes]:
    split, votes = ballot(row)
    return Key(SPLITS.index(split), row["name"]), votes


def _agreed(counted: Iterable[tuple[Key, Votes]]) -> tuple[dict[Key, Votes], tuple[str, ...]]:
    """The votes of each picture, and the names of those that have several."""
    given: dict[Key, set[Votes]] = {}
    for key, votes in counted:
        given.setdefault(key, set()).add(votes)
    left_out = tuple(sorted(key.name for key, votes in given.items() if len(votes) > 1))
    return {key: next(iter(votes)) for key, votes in given.items() if len(votes) == 1}, left_out


def _of_tree(root: Path, keys: Iterable[Key]) -> Pictures:
    """All are looked for before the first is read."""
    tree, found, problems = Tree(root, *BASES), [], []
    for key in keys:
        try:
            found.append((key, partial(_grey, locate(tree, SPLITS[key.usage], key.name))))
        except DataError as error:  # noqa: PERF203  as above
            problems.append(str(error))
    _refuse(problems, f"pictures with votes are not in {root}")
    return found


def _grey(path: Path) -> Image:
    """uint8 (48, 48)."""
    image = read_picture(path)
    if image.shape != (SIDE_PX, SIDE_PX, 3):
        raise DataError(f"{path} is {image.shape[1]} x {image.shape[0]} pixels")
    if (image != image[:, :, :1]).any():
        raise DataError(f"{path} is coloured")
    return np.ascontiguousarray(image[:, :, 0])


def _of_table(table: Path, rows: list[Row], votes: Path) -> Iterator[tuple[Key, Callable[[], Image]]]:
    """The n-th picture has the n-th votes; DataError where the tables do not go together."""
    for row, pixels in zip_longest(rows, ferplus_pixels.read(table)):
        if row is None or pixels is None:
            longer = table if row is None else votes
            raise DataError(f"{table} and {votes} go together row for row, but {longer} has more; fetch both anew")
        if row["usage"] != pixels.usage:
            raise DataError(
                f"{row.where} is {row['usage']}, but {pixels.where} is {pixels.usage!r}: they go together row for row; "
                "give FER-2013's table in its own order"
            )
        if not faceless(row):
            yield _entry(row)[0], pixels.image


def _coded(pictures: Pictures, wanted: Mapping[Key, Votes]) -> dict[Key, bytes]:
    """Lossless WebP of every picture that is wanted."""
    coded, problems = {}, []
    for key, read in pictures:
        try:
            if key in wanted:
                coded[key] = cv2.imencode(".webp", read(), LOSSLESS)[1].tobytes()
        except DataError as error:  # noqa: PERF203  as above
            problems.append(str(error))
    _refuse(problems, f"pictures are not FER-2013's, wanted {SIDE_PX} x {SIDE_PX} grey pixels; unpack it anew")
    return coded


def _refuse(problems: list[str], what: str) -> None:
    if problems:
        raise DataError(f"{len(problems)} {what}", first(problems))
