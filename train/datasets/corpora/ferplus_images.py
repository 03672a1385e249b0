"""FER+ as its users unpack it: single pictures, and the votes in fer2013new.csv or in each folder's label.csv.

    root/FER2013Train/fer0000000.png, root/FER2013Valid/..., root/FER2013Test/..., or below root/images/
    root/fer2013new.csv: Usage, Image name, and the ten votes     or     root/FER2013Train/label.csv, without a header

Votes count as in `ferplus`. 173 rows have no name and no face. Four names occur twice: the first row counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.errors import DataError
from realtime.labels import FERPLUS
from realtime.records import Floats
from train.datasets.annotation.reading import Reading
from train.datasets.annotation.sample import Recording, Sample
from train.datasets.annotation.table import TableRow, find_table, read_columns, read_table, whole
from train.datasets.annotation.tree import Tree
from train.datasets.ferplus import emotion_shares

TABLE = "fer2013new.csv"
BASES = ("images", "Images", "data")  # below which the folders may lie
FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
USAGES = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
VOTES = (*FERPLUS, "unknown", "NF")
COLUMNS: Mapping[str, tuple[str, ...]] = {"usage": ("Usage",), "name": ("Image name",)} | {v: (v,) for v in VOTES}


@dataclass(frozen=True, slots=True)
class _Picture:
    split: str
    path: Path
    votes: tuple[int, ...]


def read(root: Path, table: Path | None) -> Reading:
    """Every picture of the eight emotions as a clip of one frame; a picture is a subject, for FER-2013 names nobody."""
    pictures, problems, repeated = _pictures(root, table)
    chosen, shares = _known(pictures)
    samples = [
        _sample(picture, FERPLUS[best]) for picture, best in zip(chosen, map(int, shares.argmax(1)), strict=True)
    ]
    return Reading(tuple(samples), {}, tuple(problems), tuple(repeated))


def _sample(picture: _Picture, emotion: str) -> Sample:
    id = f"{picture.split}-{picture.path.stem}"
    still = Recording(picture.path, 1.0, 0, 0)
    return Sample(id, id, emotion, 0.0, 0.0, 0.0, raw_label=emotion, kind="macro", recording=still)


def _known(pictures: list[_Picture]) -> tuple[list[_Picture], Floats]:
    votes = np.array([picture.votes for picture in pictures], np.uint8).reshape(-1, len(VOTES))
    shares, known = emotion_shares(votes)
    return [pictures[row] for row in np.flatnonzero(known)], shares[known]


def _pictures(root: Path, table: Path | None) -> tuple[list[_Picture], list[str], list[str]]:
    """Pictures, problems, and rows that repeat a name."""
    tree = Tree(root, *BASES)
    found: dict[Path, _Picture] = {}
    problems, repeated = [], []
    for row in _rows(root, table, tree):
        if faceless(row):
            continue
        try:
            picture = _picture(row, tree)
        except DataError as error:
            problems.append(f"{row.where}: {error}")
            continue
        if picture.path in found:
            repeated.append(f"{row.where}: {picture.path.name} occurs a second time, the first row counts")
        found.setdefault(picture.path, picture)
    return list(found.values()), problems, repeated


def _rows(root: Path, table: Path | None, tree: Tree) -> Iterator[TableRow]:
    if table is not None or not all(path.is_file() for path in lists(tree.base).values()):
        yield from read_table(find_table(root, table, (TABLE,)), COLUMNS)
    else:
        yield from listed(tree.base)


def lists(base: Path) -> dict[str, Path]:
    """Split -> where its label.csv lies, below the folder of the three folders."""
    return {split: base / folder / "label.csv" for split, folder in FOLDERS.items()}


def listed(base: Path) -> Iterator[TableRow]:
    """The rows of each label.csv, as those of fer2013new.csv."""
    usages = {split: usage for usage, split in USAGES.items()}
    for split, path in lists(base).items():
        for row in read_columns(path, "", ("name", "box", *VOTES)):
            yield TableRow(f"{FOLDERS[split]}/{row.where}", {**row.cells, "usage": usages[split]})


def faceless(row: TableRow) -> bool:
    """Whether a row has no picture: ten voters saw no face."""
    return not row["name"] and row["NF"] == "10"


def ballot(row: TableRow) -> tuple[str, tuple[int, ...]]:
    """Split and votes, in the order of `VOTES`, of a row that names a picture; DataError if any of it is wrong."""
    votes = tuple(whole(row[vote]) for vote in VOTES)
    if row["usage"] not in USAGES or not row["name"] or not 1 <= sum(votes) <= 10:
        raise DataError(
            f"usage {row['usage']!r}, name {row['name']!r}, {sum(votes)} votes; wanted one of {', '.join(USAGES)}, "
            "a picture's name and up to 10 votes; correct the row"
        )
    return USAGES[row["usage"]], votes


def locate(tree: Tree, split: str, name: str) -> Path:
    """The picture `name` of a split; DataError if it is not there."""
    path = tree.base / FOLDERS[split] / name
    if path.name not in tree.listed(path.parent):
        raise DataError(f"no picture {path}; unpack FER-2013 there, or leave the row out")
    return path


def _picture(row: TableRow, tree: Tree) -> _Picture:
    split, votes = ballot(row)
    return _Picture(split, locate(tree, split, row["name"]), votes)
