"""CAS(ME)^2 (Qu et al. 2018): 300 macro- and 57 micro-expressions of 22 people in long videos at 30 Hz.

    root/rawpic/s15/15_0401girlcrashing/img1.jpg
    root/CAS(ME)^2code_final.xlsx: the sheet CASFEcode_final without a header; naming rule1 says that s15 is person 1,
    naming rule2 that 0401 is anger1

Offsets of 44 rows and an apex of one are 0: not seen. The label is the valence, of which there are four; the reported
emotion has eleven spellings. The expression anger1_2 lies in the video anger1; its clip is cut out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from realtime.errors import DataError
from realtime.records import Kind
from train.datasets.annotation.reading import Correction, Entry, Reading, assemble, moments, number
from train.datasets.annotation.table import TableRow, find_table, read_columns
from train.datasets.annotation.tree import Tree, plain

RATE_HZ = 30.0
COLUMNS = ("subject", "clip", "onset", "apex", "offset", "units", "label", "kind", "emotion")
KINDS: Mapping[str, Kind] = {"micro-expression": "micro", "macro-expression": "macro"}
_TURNED = "coded behind the offset, which no apex can be"
CORRECTIONS = (
    Correction("11-disgust1_5", "apex", "1230", "1224", _TURNED),
    Correction("14-happy2_1", "apex", "2203", "2202", _TURNED),
    Correction("15-anger1_12", "apex", "2455", "2451", _TURNED),
)


def read(root: Path, table: Path | None) -> Reading:
    """Every expression of the coding sheet."""
    tree = Tree(root, "rawpic")
    path = find_table(root, table, ("CAS*code_final*.xlsx", "CASME_squared*.xlsx"))
    naming = read_columns(path, "naming rule1", ("number", "folder", "person"))
    people = {row["person"]: row["folder"] for row in naming}
    videos = {row["video"]: row["code"] for row in read_columns(path, "naming rule2", ("code", "video"))}

    def entry(row: TableRow) -> Entry:
        subject, clip = f"{number(row['subject']):02d}", row["clip"]
        code = videos.get(clip.rpartition("_")[0], "")
        place, kind = _place(tree, people.get(row["subject"], ""), code, row), _kind(row["kind"])
        id = f"{subject}-{clip}"
        return Entry(id, subject, row["label"], (place,), RATE_HZ, moments(row), row["units"], kind, long=True)

    return assemble(read_columns(path, "CASFEcode_final", COLUMNS), entry, tree, CORRECTIONS)


def _place(tree: Tree, folder: str, code: str, row: TableRow) -> str:
    """s15/15_0401girlcrashing: the code begins what follows the person's number."""
    if not folder or not code:
        raise DataError(
            f"person {row['subject']} or video {row['clip']} is not in the naming rules; add it to the sheet"
        )
    person, named = tree.find(tree.base, folder), f"{number(folder)}_{code}"
    there = tree.names(person) if person else {}
    alike = [name for key, names in there.items() for name in names if key.startswith(plain(named))]
    return f"{folder}/{alike[0] if len(alike) == 1 else f'{named}*'}"


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise DataError(f"type {text!r}, wanted one of {', '.join(KINDS)}; correct the cell")
    return KINDS[text]
