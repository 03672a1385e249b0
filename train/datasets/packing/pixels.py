"""FER-2013 as its challenge gave it out: one CSV with a picture a row, as 2304 grey levels.

    fer2013.csv: emotion,pixels,Usage          icml_face_data.csv: emotion, Usage, pixels

It names no picture: row for row it is FER+'s fer2013new.csv, which does.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.errors import DataError
from realtime.records import Image

SIDE_PX = 48


@dataclass(frozen=True, slots=True)
class Pixels:
    """A row, of which the grey levels are still text: rows without a face need not be read."""

    where: str  #: for messages
    usage: str  #: Training, PublicTest or PrivateTest
    text: str

    def image(self) -> Image:
        """uint8 (48, 48), grey; DataError if the text is no such picture."""
        try:
            levels = np.array(self.text.split(), np.int64)
        except (ValueError, OverflowError):
            levels = np.zeros(0, np.int64)
        if levels.size != SIDE_PX**2 or levels.min() < 0 or levels.max() > 255:
            raise DataError(f"{self.where}: pixels {self.text[:20]!r}..., wanted {SIDE_PX**2} grey levels of 0 to 255")
        return levels.astype(np.uint8).reshape(SIDE_PX, SIDE_PX)


def read(path: Path) -> Iterator[Pixels]:
    """Row by row, for the file is large; DataError if it is no such table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [cell.strip().lower() for cell in next(rows, [])]
            if not {"usage", "pixels"} <= set(header):
                raise DataError(f"{path} has the columns {header}, wanted usage and pixels, as fer2013.csv has")
            usage, pixels = header.index("usage"), header.index("pixels")
            for number, cells in enumerate(rows, 2):
                if len(cells) != len(header):
                    raise DataError(f"{path} row {number} has {len(cells)} cells, wanted {len(header)}; fetch it anew")
                yield Pixels(f"{path.name} row {number}", cells[usage].strip(), cells[pixels])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}; wanted FER-2013's CSV: fetch it anew") from None
