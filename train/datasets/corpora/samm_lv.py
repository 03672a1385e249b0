"""SAMM Long Videos (Yap et al. 2020): 343 macro- and 159 micro-expressions in 147 videos at 200 Hz, for spotting.

    root/SAMM_longvideos/006_1/006_1_0562.jpg
    root/SAMM_LongVideos_V2_Release.xlsx: nine rows of legend above the header

No emotion is coded: the label is the kind. The expression 006_1_2 lies in the video 006_1. Its clip is cut out of
the video, with a second before and after it.
"""

from __future__ import annotations

from pathlib import Path

from realtime.errors import DataError
from realtime.records import Kind
from train.datasets.annotation.reading import Entry, Reading, assemble, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_table
from train.datasets.annotation.tree import Tree

RATE_HZ = 200.0
COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename",),
    "onset": ("Onset", "Onset Frame"),
    "apex": ("Apex", "Apex Frame"),
    "offset": ("Offset", "Offset Frame"),
    "kind": ("Type",),
    "units": ("Action Units",),
}


def read(root: Path, table: Path | None) -> Reading:
    """Every expression of the coding sheet."""
    tree = Tree(root, "SAMM_longvideos")
    rows = read_table(find_table(root, table, ("SAMM*Long*.xlsx", "SAMM*LV*.xlsx")), COLUMNS)
    return assemble(rows, _entry, tree)


def _entry(row: TableRow) -> Entry:
    subject, clip, kind = f"{number(row['subject']):03d}", row["clip"], _kind(row["kind"])
    video = "_".join(clip.split("_")[:2])
    places = (video, f"{subject}/{video}")
    return Entry(f"{subject}-{clip}", subject, kind, places, RATE_HZ, moments(row), row["units"], kind, long=True)


def _kind(text: str) -> Kind:
    """ "Micro - 1/2" and "Macro" begin with what they are."""
    if text.lower().startswith("micro"):
        return "micro"
    if text.lower().startswith("macro"):
        return "macro"
    raise DataError(f"type {text!r}, wanted one that begins with Micro or Macro; correct the cell")
