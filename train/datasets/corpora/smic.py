"""SMIC-HS (Li et al. 2013): 164 clips of 16 people at 100 Hz; on request from the University of Oulu.

    root/SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/reg_image562536.bmp

Clips run from onset to offset. No apex is official: without a table it is the middle of the clip. A table that the
community passes on names apexes, and lacks seven offsets. People are spelled s1 or s01.
"""

from __future__ import annotations

from pathlib import Path

from realtime.errors import DataError
from train.datasets.annotation.reading import Entry, Reading, assemble, moments, number
from train.datasets.annotation.table import TableRow, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 100.0
CLASSES = ("negative", "positive", "surprise")  # of the table's labels 0, 1, 2
COLUMNS = {
    "subject": ("subject",),
    "clip": ("clip",),
    "label": ("label",),
    "onset": ("onset_frame",),
    "apex": ("apex_frame",),
    "offset": ("offset_frame",),
}


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the table, or without one of the folders."""
    tree = Tree(root, "SMIC_all_cropped/HS", "SMIC_all_raw/HS", "HS")
    return assemble(_listed(tree) if table is None else read_table(table, COLUMNS), _entry, tree)


def _listed(tree: Tree) -> list[TableRow]:
    """One row a clip's folder, as the table would have it but for the moments."""
    found = []
    for label, name in enumerate(CLASSES):
        for folder in sorted(tree.base.glob(f"*/micro/{name}/*")):
            cells = {"subject": folder.parents[2].name, "clip": folder.name, "label": str(label)}
            found.append(TableRow(str(folder.relative_to(tree.root)), {**cells, "onset": "", "apex": "", "offset": ""}))
    if not found:
        raise DataError(f"no clip like s1/micro/negative/s1_ne_01 below {tree.base}; give the folder HS with --root")
    return found


def _entry(row: TableRow) -> Entry:
    if row["label"] not in ("0", "1", "2"):
        raise DataError(f"label {row['label']!r}, wanted 0 negative, 1 positive or 2 surprise; correct the cell")
    subject, clip, label = f"s{number(row['subject']):02d}", row["clip"], CLASSES[int(row["label"])]
    places = (f"{subject}/micro/{label}/{clip}", f"{subject}/{clip}")
    return Entry(clip, subject, label, places, RATE_HZ, moments(row))
