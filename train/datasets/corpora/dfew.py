"""DFEW (Jiang et al. 2020): 11,697 single-labelled film clips of seven emotions in five fixed folds; on request.

    root/EmoLabel_DataSplit/train(single-labeled)/set_1.csv ... set_5.csv, the same for test: video_name,label
    root/Clip/clip_224x224_16f/00001/     or     root/Clip/original/00001.mp4

A list that the community passes on, with labels counted from 0, is read with --table: "DFEW_Face/00001 144 1". Nobody
knows who is seen, so every clip is a subject of its own: the folds keep clips apart, not people. Clips run
at about 25 Hz; the 16 pictures of a shortened clip are spread over all of it, and their clock is nominal.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from realtime.errors import DataError
from train.datasets.annotation.reading import Entry, Reading, assemble
from train.datasets.annotation.table import TableRow, read_table, whole
from train.datasets.annotation.tree import Tree

NAME = "dfew"
RATE_HZ = 25.0
FOLDS = range(1, 6)
CLASSES = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")  # of the labels 1 ... 7
COLUMNS = {"clip": ("video_name",), "label": ("label",)}

Ids = tuple[str, ...]


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the first fold, both sides, which is every clip; or those of `table`."""
    tree = Tree(root)
    if table is None:
        rows = [row for side in ("train", "test") for row in read_table(_list(root, side, 1), COLUMNS)]
    else:
        rows = _community(table) if table.suffix.lower() == ".txt" else read_table(table, COLUMNS)
    return assemble(rows, _entry, tree)


def folds(root: Path) -> dict[str, tuple[Ids, Ids]]:
    """The authors' folds, for `train.datasets.folds.from_lists`: name -> ids of cases to train on, ids to test."""
    return {f"fold-{fold}": (_ids(root, "train", fold), _ids(root, "test", fold)) for fold in FOLDS}


def _list(root: Path, side: str, fold: int) -> Path:
    return root / "EmoLabel_DataSplit" / f"{side}(single-labeled)" / f"set_{fold}.csv"


def _ids(root: Path, side: str, fold: int) -> Ids:
    return tuple(f"{NAME}/{whole(row['clip']):05d}" for row in read_table(_list(root, side, fold), COLUMNS))


def _community(path: Path) -> list[TableRow]:
    """Lines "folder frame_count label", labels from 0; rows as the official lists have them."""
    if not path.is_file():
        raise DataError(f"no list {path}; give an existing file with --table")
    rows, problems = [], []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        parts = line.split()
        where = f"{path.name} line {number}"
        if len(parts) == 3 and parts[2].isdigit():
            rows.append(TableRow(where, {"clip": PurePosixPath(parts[0]).name, "label": str(int(parts[2]) + 1)}))
        elif parts:
            problems.append(f"{where}: {line!r}, wanted such as DFEW_Face/00001 144 1")
    if problems:
        raise DataError(f"{path} is no list of DFEW clips; correct it", problems)
    return rows


def _entry(row: TableRow) -> Entry:
    label = whole(row["label"])
    if not 1 <= label <= len(CLASSES):
        raise DataError(f"label {label}, wanted 1 to {len(CLASSES)}; correct the cell")
    clip = f"{whole(row['clip']):05d}"
    places = (f"Clip/clip_224x224_16f/{clip}", f"clip_224x224_16f/{clip}", f"Clip/original/{clip}.mp4")
    return Entry(clip, clip, CLASSES[label - 1], places, RATE_HZ, {"onset": "", "apex": "", "offset": ""}, kind="macro")
