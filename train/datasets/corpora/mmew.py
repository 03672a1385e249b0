"""MMEW (Ben et al. 2022): 300 micro-expressions of 36 people at 90 Hz; on request. 234 without the class others.

root/Micro_Expression/happiness/S01-01-001/15.jpg
root/MMEW_Micro_Exp.xlsx or .csv: Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Action Units, ...
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Entry, Reading, assemble, coding_sheet, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 90.0
COLUMNS = coding_sheet()


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root, "Micro_Expression")
    rows = read_table(find_table(root, table, ("MMEW*.xlsx", "MMEW*.csv")), COLUMNS)
    return assemble(rows, _entry, tree)


def _entry(row: TableRow) -> Entry:
    subject, clip = f"S{number(row['subject']):02d}", row["clip"]
    place = f"{row['label']}/{clip}"
    return Entry(clip, subject, row["label"], (place,), RATE_HZ, moments(row), row["units"])
