"""CASME II (Yan et al. 2014): 255 clips of 26 people at 200 Hz; on request from its authors.

    root/CASME2_RAW_selected/sub01/EP02_01f/img46.jpg     or     root/Cropped/sub01/EP02_01f/reg_img46.jpg
    root/CASME2-coding-20140508.xlsx, or -20190701: three more clips are surprise, three fewer sadness

The raw pictures are taken where both are there, for they are what a camera gives. A subject is "01" or 1.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.reading import Correction, Entry, Reading, assemble, number
from train.datasets.table import Row, find_table, read_table
from train.datasets.tree import Tree

RATE_HZ = 200.0
TABLES = ("CASME2-coding-*.xlsx", "*.xlsx")
COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename",),
    "onset": ("OnsetFrame",),
    "apex": ("ApexFrame",),
    "offset": ("OffsetFrame",),
    "units": ("Action Units",),
    "label": ("Estimated Emotion",),
}
CORRECTIONS = (
    Correction("sub04-EP12_01f", "apex", "", "279", "no apex was coded; by optical flow (Varanka et al. 2022)"),
    Correction("sub07-EP06_02_01", "offset", None, "91", "the older sheet is wrong (Varanka et al. 2022)"),
)


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root, "CASME2_RAW_selected", "Cropped")

    def entry(row: Row) -> Entry:
        subject = f"sub{number(row['subject']):02d}"
        folder = tree.base / subject / row["clip"]
        moments = {"onset": row["onset"], "apex": row["apex"], "offset": row["offset"]}
        path = tree.find(tree.base, subject, row["clip"])
        return Entry(
            f"{subject}-{row['clip']}", subject, row["label"], path, f"folder {folder}", RATE_HZ, moments, row["units"]
        )

    return assemble(read_table(find_table(root, table, TABLES), COLUMNS), entry, tree, CORRECTIONS)
