"""CASME (Yan et al. 2013): 195 clips of 19 people at 60 Hz; on request from its authors.

    root/Cropped/sub01/EP01_12/reg_EP01_12-1.jpg     or     root/sub01/...
    root/CASME.xlsx: Subject, Filename, OnsetF, ApexF1, ApexF2, OffsetF, Onset, Total, AU, Emotion, and empty columns

A cell with nothing to say holds a backslash. Where a clip has two apexes, the first one is used.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Entry, Reading, assemble, coding_sheet, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 60.0
COLUMNS = coding_sheet(onset="OnsetF", apex="ApexF1", offset="OffsetF", units="AU", label="Emotion")


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root, "CASME_raw_selected", "Cropped")
    rows = read_table(find_table(root, table, ("CASME*.xlsx",)), COLUMNS)
    return assemble(rows, _entry, tree)


def _entry(row: TableRow) -> Entry:
    subject, clip = f"sub{number(row['subject']):02d}", row["clip"]
    place = f"{subject}/{clip}"
    return Entry(f"{subject}-{clip}", subject, row["label"], (place,), RATE_HZ, moments(row), row["units"])
