"""CAS(ME)^3, part A (Li et al. 2023): 860 micro-expressions of 94 people in long videos at 30 Hz; on request.

    root/part_A/spNO.1/a/color/355.jpg
    root/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx: Subject, Filename, Onset, Apex, Offset, AU, Objective class, emotion

A video holds several expressions, so a clip's id ends in its onset. Clips are cut out, with a second around them.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Correction, Entry, Reading, assemble, coding_sheet, moments
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 30.0
COLUMNS = coding_sheet(onset="Onset", apex="Apex", offset="Offset", units="AU", label="emotion")
CORRECTIONS = (
    Correction("spNO.214-c-5", "offset", "3460", "34", "115 s behind the apex (tvaranka/meb)"),
    Correction("spNO.216-e-0", "onset", "0", "1", "pictures are counted from 1 (tvaranka/meb)"),
)


def read(root: Path, table: Path | None) -> Reading:
    """Every expression of the coding sheet."""
    tree = Tree(root, "part_A", "data/part_A")
    rows = read_table(find_table(root, table, ("cas*me*3*.xlsx",)), COLUMNS)
    return assemble(rows, _entry, tree, CORRECTIONS)


def _entry(row: TableRow) -> Entry:
    subject, video = row["subject"], row["clip"]
    places = (f"{subject}/{video}/color", f"{subject}/{video}")
    clip = f"{subject}-{video}-{row['onset']}"
    return Entry(clip, subject, row["label"], places, RATE_HZ, moments(row), row["units"], long=True)
