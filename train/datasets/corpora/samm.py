"""SAMM (Davison et al. 2018): 159 clips of 29 people, of 32 filmed, at 200 Hz; on request from its authors.

    root/SAMM/006/006_1_2/006_05562.jpg
    root/SAMM_Micro_FACS_Codes_v2.xlsx: twelve rows of legend above the header, which copies lack

The columns Objective Classes and Duration are not read: the one groups action units, the other is a formula.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Correction, Entry, Reading, assemble, coding_sheet, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 200.0
COLUMNS = coding_sheet(onset="Onset Frame", apex="Apex Frame", offset="Offset Frame")
_BY_FLOW = "no apex was coded; this one is by optical flow (tvaranka/meb)"
CORRECTIONS = (
    Correction("013-013_1_9", "offset", None, "5739", "wrong in the official sheet (tvaranka/meb)"),
    Correction("028-028_4_1", "apex", "", "1105", _BY_FLOW),
    Correction("032-032_3_1", "apex", "", "4945", _BY_FLOW),
    Correction("032-032_3_2", "apex", "", "5130", _BY_FLOW),
)


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root, "SAMM")
    rows = read_table(find_table(root, table, ("SAMM_Micro_FACS_Codes*.xlsx", "SAMM.xlsx")), COLUMNS)
    return assemble(rows, _entry, tree, CORRECTIONS)


def _entry(row: TableRow) -> Entry:
    subject, clip = f"{number(row['subject']):03d}", row["clip"]
    place = f"{subject}/{clip}"
    return Entry(f"{subject}-{clip}", subject, row["label"], (place,), RATE_HZ, moments(row), row["units"])
