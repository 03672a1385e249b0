"""Annotation tables, .xlsx and .csv -> rows of text. The only door to openpyxl.

Tables of one data set circulate with and without a legend above the header, with headers in several spellings,
with empty columns and empty sheets, and with numbers as text, integers or floats. After this they look the same.
"""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import DataError
from realtime.zipped import excess

#: The largest published table takes 1 MB unpacked, and ten thousand rows.
MOST_BYTES, MOST_CELLS = 64_000_000, 2_000_000
#: A row takes as much as so many cells, however short it is.
ROW_CELLS = 10
#: What openpyxl and its XML reader raise, which have no errors of their own for a file that is wrong.
WRONG_FILE = (
    zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError,
    AssertionError, EOFError, OSError, RuntimeError,
)  # fmt: skip
LEGEND = 40  # rows in which a header is looked for: SAMM has 12 above it, SAMM Long Videos 9

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row that is not empty."""

    where: str  #: for messages: file, sheet and row as a spreadsheet counts it
    cells: Mapping[str, str]  #: by the caller's names; stripped, whole numbers without ".0", "" where empty

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def find_table(root: Path, table: Path | None, patterns: Sequence[str]) -> Path:
    """`table`, or the newest by name of the first pattern that anything in `root` or beside it fits."""
    if table is not None:
        return table
    for pattern in patterns:
        for folder in (root, root.parent):
            if found := sorted(path for path in folder.glob(pattern) if not path.name.startswith("~")):
                return found[-1]
    raise DataError(f"no table {' or '.join(patterns)} in {root} or beside it; give it with --table")


def read_table(path: Path, columns: Mapping[str, Sequence[str]]) -> list[TableRow]:
    """Rows below the first header that has every column, given as name -> the spellings it is known by.

    DataError lists the columns that no sheet has.
    """
    missing: list[str] = []
    for sheet, rows in read_sheets(path).items():
        for number, cells in enumerate(rows[:LEGEND]):
            places = _places(cells, columns)
            if len(places) == len(columns):
                return _rows(f"{path.name}{sheet}", rows, number + 1, places)
            if not missing or len(columns) - len(places) < len(missing):
                missing = [f"no column {' or '.join(columns[name])}" for name in columns if name not in places]
    raise DataError(f"{path} has no header row with all columns that are needed; add them", missing or ["it is empty"])


def read_columns(path: Path, sheet: str, columns: Sequence[str]) -> list[TableRow]:
    """Rows of a sheet without a header; `columns` are names for its first columns, in order."""
    sheets = read_sheets(path)
    key = f" [{sheet}]" if len(sheets) > 1 else ""
    wanted = sheets.get(key, next(iter(sheets.values())) if len(sheets) == 1 else None)
    if wanted is None:
        raise DataError(f"{path} has the sheets{','.join(sheets)}; wanted {sheet!r}; give the official file")
    return _rows(f"{path.name}{key}", wanted, 0, {name: place for place, name in enumerate(columns)})


def read_sheets(path: Path) -> dict[str, list[Cells]]:
    """All sheets as text, by " [name]"; a .csv, and a file with a single sheet, has one without a name."""
    if not path.is_file():
        raise DataError(f"no table {path}; give an existing .xlsx or .csv file with --table")
    if path.suffix.lower() == ".csv":
        return {"": _read_csv(path)}
    if path.suffix.lower() == ".xlsx":
        return _read_xlsx(path)
    raise DataError(f"{path} is a table of an unknown kind; wanted .xlsx or .csv: save it as one of these")


def missing(text: str) -> bool:
    """Whether a cell says that there is nothing to say."""
    return text.lower() in {"", "/", "\\", "-", "?", "nan", "none", "null"}


def whole(text: str) -> int:
    """A frame number; DataError when it is none."""
    if not re.fullmatch(r"[0-9]+(\.0*)?", text):
        raise DataError(f"{text!r} is no frame number; wanted a whole number such as 46; correct the cell")
    return int(text.partition(".")[0])


def rate(text: str) -> float:
    """Frames a second; DataError when it is none."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.0 < found < 10_000.0:
        raise DataError(f"{text!r} is no frame rate; wanted frames a second such as 200; correct the cell")
    return found


def _read_csv(path: Path) -> list[Cells]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [[cell.strip() for cell in row] for row in csv.reader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}; wanted comma-separated text in UTF-8: save it anew") from None


def _read_xlsx(path: Path) -> dict[str, list[Cells]]:
    """Row by row, so that what a sheet states of its size, or merges, costs nothing."""
    from openpyxl import load_workbook  # here, not above: only tables need it

    try:
        if too_much := excess(path, MOST_BYTES):
            raise DataError(f"{path} {too_much}: leave out other sheets")
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            rows = {sheet.title: _cells(path, sheet) for sheet in book.worksheets}
        finally:
            book.close()
    except WRONG_FILE as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"{path} cannot be read: {why}; wanted an .xlsx file: fetch or save it anew") from None
    return {f" [{title}]" if len(rows) > 1 else "": found for title, found in rows.items()}


def _cells(path: Path, sheet: Any) -> list[Cells]:
    """The rows as text, to the last cell of each."""
    sheet.reset_dimensions()  # what it states may be anything
    rows: list[Cells] = []
    count = 0
    for row in sheet.iter_rows(values_only=True):
        count += max(len(row), ROW_CELLS)
        if count > MOST_CELLS:
            raise DataError(
                f"{path} [{sheet.title}] goes on after {len(rows)} rows, at most {MOST_CELLS} cells are read: delete "
                "what lies far to the right or below"
            )
        rows.append([_text(cell) for cell in row])
    return rows


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _places(cells: Cells, columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Name -> column number; headers are compared without case, blanks and signs."""
    headers = [_plain(cell) for cell in cells]
    spellings = {name: [_plain(spelling) for spelling in known] for name, known in columns.items()}
    found = {name: next((s for s in known if s in headers), None) for name, known in spellings.items()}
    return {name: headers.index(spelling) for name, spelling in found.items() if spelling is not None}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _rows(name: str, rows: Iterable[Cells], skip: int, places: Mapping[str, int]) -> list[TableRow]:
    found = []
    for number, cells in enumerate(rows, 1):
        values = {column: cells[place] if place < len(cells) else "" for column, place in places.items()}
        if number > skip and any(values.values()):
            found.append(TableRow(f"{name} row {number}", values))
    return found


def write_table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A spreadsheet of one sheet, as `read_table` reads it; the first row is the header."""
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    book.save(path)
