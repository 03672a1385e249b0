"""CK+ (Lucey et al. 2010): 593 posed sequences of 123 people at 30 Hz, 327 with an emotion; on request.

    root/cohn-kanade-images/S010/002/S010_002_00000014.png
    root/Emotion/S010/002/S010_002_00000014_emotion.txt: one number, 0 neutral ... 7 surprise

A sequence begins neutral and ends at its peak, so its onset is the first picture, apex and offset the last.
Sequences without an emotion are left out.
"""

from __future__ import annotations

from pathlib import Path

from realtime.errors import DataError
from train.datasets.annotation.reading import Entry, Moment, Reading, assemble
from train.datasets.annotation.table import TableRow
from train.datasets.annotation.tree import Tree

RATE_HZ = 30.0
CLASSES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


def read(root: Path, table: Path | None) -> Reading:
    """Every sequence that has an emotion; there is no table."""
    if table is not None:
        raise DataError(f"CK+ has no table, found {table}; its emotions are read from root/Emotion: leave --table out")
    tree = Tree(root, "cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")

    def entry(row: TableRow) -> Entry:
        place = f"{row['subject']}/{row['sequence']}"
        peak = str(max(tree.pictures(tree.locate(place)), default=""))
        clip, label = f"{row['subject']}-{row['sequence']}", _label(row["emotion"])
        moments: dict[Moment, str] = {"onset": "", "apex": peak, "offset": peak}
        return Entry(clip, row["subject"], label, (place,), RATE_HZ, moments, kind="macro")

    return assemble(_rows(root), entry, tree)


def _rows(root: Path) -> list[TableRow]:
    found = []
    for path in sorted(root.glob("**/Emotion/*/*/*_emotion.txt")):
        cells = {"subject": path.parents[1].name, "sequence": path.parent.name, "emotion": path.read_text("utf-8")}
        found.append(TableRow(str(path.relative_to(root)), cells))
    if not found:
        raise DataError(f"no Emotion/S010/002/..._emotion.txt below {root}; unpack Emotion_labels.zip there")
    return found


def _label(text: str) -> str:
    """ "   3.0000000e+00" is disgust."""
    try:
        return {float(number): name for number, name in enumerate(CLASSES)}[float(text)]
    except (ValueError, KeyError):
        raise DataError(f"emotion {text.strip()!r}, wanted a number from 0 to 7; correct the file") from None
