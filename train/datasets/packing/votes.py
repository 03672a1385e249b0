"""The votes of a checkout of github.com/microsoft/FERPlus, and which of its pictures have votes that are theirs.

    data/FER2013{Train,Valid,Test}/label.csv    35710 names; what the paper trained and tested on
    fer2013new.csv                              35887 rows, row for row FER-2013's own table; 173 without a name or face

They differ: fer2013new.csv has other votes for part of the pictures (24 of 305 test pictures that were compared), and
lists four names twice. Of a whole checkout label.csv counts. A name that is listed twice with the same votes counts
once; with different votes it is not known which are the picture's, and it is left out (`ferplus_images` takes the
first row).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DataError
from train.datasets.annotation.table import TableRow, read_table
from train.datasets.annotation.tree import Tree
from train.datasets.corpora.ferplus_images import BASES, COLUMNS, TABLE, ballot, faceless, listed, lists
from train.datasets.ferplus import SPLITS
from train.storage.listing import first

CHECKOUT = "a checkout of github.com/microsoft/FERPlus"
#: One of the four that fer2013new.csv lists twice, with different votes: the picture of this name may be either.
UNCLEAR = "fer0033120.png"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What tells a picture from all others; sorted, they are in the order of `ferplus.npz`."""

    usage: int  #: index into `ferplus.SPLITS`
    name: str


Votes = tuple[int, ...]  # in the order of `ferplus_images.VOTES`


def read(votes: Path) -> tuple[dict[Key, Votes], tuple[str, ...]]:
    """The votes of each picture, and the names that are left out; `votes` is a checkout or fer2013new.csv.

    DataError lists what is missing or wrong.
    """
    if not votes.exists():
        raise DataError(f"no {votes}; give {CHECKOUT}, or its {TABLE}, with --votes")
    given: dict[Key, set[Votes]] = {}
    for key, counts in _counted(read_table(votes, COLUMNS) if votes.is_file() else _of_lists(votes)):
        given.setdefault(key, set()).add(counts)
    unclear = {key for key, counts in given.items() if len(counts) > 1 or key.name == UNCLEAR}
    agreed = {key: next(iter(counts)) for key, counts in given.items() if key not in unclear}
    if not agreed:
        raise DataError(f"{votes} names no picture; give {CHECKOUT}, or its {TABLE}, with --votes")
    return agreed, tuple(sorted(key.name for key in unclear))


def named_rows(votes: Path) -> tuple[Path, list[TableRow]]:
    """The table that names the rows of FER-2013's, and its rows."""
    places = [votes] if votes.is_file() else [votes / TABLE, votes.parent / TABLE]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise DataError(f"no {places[0]}, which names the rows of FER-2013's table; give {CHECKOUT} with --votes")
    return found, read_table(found, COLUMNS)


def key(row: TableRow) -> Key:
    """Of a row that names a picture; DataError if it is wrong."""
    return _entry(row)[0]


def _of_lists(root: Path) -> list[TableRow]:
    base = Tree(root, *BASES).base
    missing = [f"no {path}" for path in lists(base).values() if not path.is_file()]
    if missing:
        raise DataError(f"{len(missing)} tables of votes are missing; give {CHECKOUT}, or its {TABLE}", missing)
    rows = list(listed(base))
    if rows and not any(row["NF"] for row in rows):
        raise DataError(
            f"label.csv in {base} has 11 columns, as FERPlus's generate_training_data.py writes it over the file that "
            f"was there; get that back with git checkout, or give {TABLE} with --votes"
        )
    return rows


def _counted(rows: Iterable[TableRow]) -> list[tuple[Key, Votes]]:
    """Of each row that has a face; DataError lists the first that are wrong."""
    found, problems = [], []
    for row in rows:
        try:
            found += [] if faceless(row) else [_entry(row)]
        except DataError as error:  # noqa: PERF203  a row that is wrong must not hide the next one
            problems.append(f"{row.where}: {error}")
    if problems:
        raise DataError(f"{len(problems)} rows of votes are wrong; give {CHECKOUT} with --votes", first(problems))
    return found


def _entry(row: TableRow) -> tuple[Key, Votes]:
    split, votes = ballot(row)
    return Key(SPLITS.index(split), row["name"]), votes
