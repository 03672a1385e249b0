"""CASME II (Yan et al. 2014): 255 clips of 26 people at 200 Hz; on request from its authors.

    root/CASME2_RAW_selected/sub01/EP02_01f/img46.jpg     or     root/Cropped/sub01/EP02_01f/reg_img46.jpg
    root/CASME2-coding-20140508.xlsx, or -20190701: three more clips are surprise, three fewer sadness

The raw pictures are taken where both are there, for they are what a camera gives. A subject is "01" or 1.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Correction, Entry, Reading, assemble, coding_sheet, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 200.0
COLUMNS = coding_sheet()
CORRECTIONS = (
    Correction("sub04-EP12_01f", "apex", "", "279", "no apex was coded; this one is by optical flow (tvaranka/meb)"),
    Correction("sub07-EP06_02_01", "offset", None, "91", "wrong in the sheet of 2014 (tvaranka/meb)"),
)


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root, "CASME2_RAW_selected", "Cropped")
    rows = read_table(find_table(root, table, ("CASME2-coding*.xlsx",)), COLUMNS)
    return assemble(rows, _entry, tree, CORRECTIONS)


def _entry(row: TableRow) -> Entry:
    subject, clip = f"sub{number(row['subject']):02d}", row["clip"]
    place = f"{subject}/{clip}"
    return Entry(f"{subject}-{clip}", subject, row["label"], (place,), RATE_HZ, moments(row), row["units"])
