"""Your own clips, from one table: no code to write.

    subject,path,fps,onset,apex,offset,label
    anna,anna/smile.mp4,,,,,positive
    ben,ben/frown,60,46,59,86,negative

`path` is a video, a folder of pictures whose names end in their number, or one picture; if it is relative, it is
looked for beside the table. It lies below the table's folder or below --root: a table that somebody else made names no
file of the user's own. Frames of a video are counted from 0. Moments are frame numbers; where one is empty, it
is estimated (see `reading`). `fps` may be empty for a video, which states it, and for one picture, which has none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import DataError
from train.datasets.annotation.reading import Entry, Reading, assemble, moments
from train.datasets.annotation.recorded import is_still, video_rate
from train.datasets.annotation.table import TableRow, find_table, rate, read_table
from train.datasets.annotation.tree import Tree

COLUMNS = {name: (name,) for name in ("subject", "path", "fps", "onset", "apex", "offset", "label")}


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of `table`, else of the manifest in `root`."""
    path = find_table(root, table, ("manifest.csv", "manifest.xlsx"))
    rows = read_table(path, COLUMNS)
    tree = Tree(path.absolute().parent)
    homes = (tree.root, root)

    def entry(row: TableRow) -> Entry:
        empty = [name for name in ("subject", "path", "label") if not row[name]]
        if empty:
            raise DataError(f"no {' and no '.join(empty)}; fill it in, or leave the row out")
        place = row["path"].replace("\\", "/")
        _require_below(homes, place)
        clip = "-".join(filter(None, (row["subject"], place, row["onset"])))
        fps = _rate(row["fps"], tree.locate(place))
        return Entry(clip, row["subject"], row["label"], (place,), fps, moments(row), kind=None)

    return assemble(rows, entry, tree)


def _require_below(homes: Sequence[Path], place: str) -> None:
    """As it is written: where links of the user's own lead is the user's business."""
    found = Path(os.path.abspath(homes[0] / place))
    if not any(found.is_relative_to(os.path.abspath(home)) for home in homes):
        raise DataError(
            f"{place} lies outside of {homes[0]}; move it there, or give the folder that holds it with --root"
        )


def _rate(text: str, path: Path) -> float:
    if text or path.is_dir():
        return rate(text)
    return 1.0 if is_still(path) else video_rate(path)
