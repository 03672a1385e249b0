"""DFME (Zhao et al. 2023): micro-expressions at 200, 300 or 500 Hz, which each row states; on request.

    root/sub0008/sub0008_01/...0095.jpg     or     root/sub0008_01/...
    root/DFME*.xlsx: Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Emotion, EmotionId, Fps, AU

Frames are counted from 0.
"""

from __future__ import annotations

from pathlib import Path

from train.datasets.annotation.reading import Entry, Reading, assemble, coding_sheet, moments
from train.datasets.annotation.table import TableRow, find_table, rate, read_table
from train.datasets.annotation.tree import Tree

COLUMNS = coding_sheet(units="AU", label="Emotion") | {"fps": ("Fps",)}


def read(root: Path, table: Path | None) -> Reading:
    """Every clip of the coding sheet."""
    tree = Tree(root)
    rows = read_table(find_table(root, table, ("DFME*.xlsx", "DFME*.csv")), COLUMNS)
    return assemble(rows, _entry, tree)


def _entry(row: TableRow) -> Entry:
    subject, clip = row["subject"], row["clip"]
    places = (f"{subject}/{clip}", clip)
    return Entry(clip, subject, row["label"], places, rate(row["fps"]), moments(row), row["units"])
