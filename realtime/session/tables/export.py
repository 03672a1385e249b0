"""Exports a session as CSV or Parquet, in pieces; the only door to pyarrow."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Literal, Protocol

from realtime.errors import SessionError
from realtime.session import layout
from realtime.session.read import Session
from realtime.session.regular import replaced
from realtime.session.survey import survey
from realtime.session.tables.rows import ANSWERS, EVENTS, META, STATES, Columns, Row, columns, rows

Kind = Literal["csv", "parquet"]
#: Of a new table, less what the user's umask takes.
READABLE = 0o666
#: A spreadsheet takes a cell that begins so for a formula, and runs it; the last four are the wide signs of East Asia
#: (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: All tables, each in a file of its own name.
EVERY = {name: name for name in (STATES, EVENTS, ANSWERS, META)}
#: Rows that wait in memory before they are written.
CHUNK = 10_000


class Table(Protocol):
    """Where rows go; closing is what makes the file whole."""

    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


def export(
    session: Session,
    kind: Kind,
    folder: Path,
    tables: Mapping[str, str] = EVERY,
    without: Collection[str] = (),
) -> dict[Path, int]:
    """Write tables into `folder`; rows by file come back. SessionError where it cannot be written.

    `tables` names the file of each, by what it is called in `rows`; columns that are `without` are left out.
    """
    if kind == "parquet":
        _require_pyarrow()
    found = survey(session)
    written = {}
    try:
        folder.mkdir(mode=layout.PRIVATE_FOLDER, parents=True, exist_ok=True)
        with ExitStack() as placed, ExitStack() as opened:  # all are whole before the first takes its place
            filled = {}
            for name, file in tables.items():
                path = folder / f"{file}.{kind}"
                of = {column: cells for column, cells in columns(found)[name].items() if column not in without}
                beside = placed.enter_context(replaced(path, READABLE))
                filled[name] = opened.enter_context(closing(_Chunks(_TABLES[kind](beside, of))))
                written[path] = filled[name]
            for record in session:
                for name, row in rows(record, found):
                    if name in filled:
                        filled[name].add(row)
    except OSError as error:
        raise SessionError(f"{folder} cannot be written: {error}; give another folder with --out") from None
    return {path: table.count for path, table in written.items()}


class _Chunks:
    """Gathers rows for a table, which writes many at once better than one by one."""

    def __init__(self, table: Table) -> None:
        self.count = 0
        self._table = table
        self._waiting: list[Row] = []

    def add(self, row: Row) -> None:
        self.count += 1
        self._waiting.append(row)
        if len(self._waiting) == CHUNK:
            self._table.write(self._waiting)
            self._waiting.clear()

    def close(self) -> None:
        with closing(self._table):
            self._table.write(self._waiting)


class _Csv:
    """RFC 4180 with a line of names; empty cells are empty, and an apostrophe stands before what would be a formula."""

    def __init__(self, path: Path, of: Columns) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, list(of), extrasaction="ignore")
        self._texts = [name for name, kind in of.items() if kind is str]
        self._writer.writeheader()

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows(map(self._harmless, rows))

    def _harmless(self, row: Row) -> Row:
        texts = ((name, row[name]) for name in self._texts if name in row)
        return row | {name: f"'{text}" for name, text in texts if text is not None and text.startswith(FORMULA)}

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Typed columns, a row group for each chunk; empty cells are null."""

    def __init__(self, path: Path, of: Columns) -> None:
        import pyarrow
        from pyarrow import parquet

        kinds = {float: pyarrow.float64(), int: pyarrow.int64(), str: pyarrow.string(), bool: pyarrow.bool_()}
        self._schema = pyarrow.schema([(name, kinds[kind]) for name, kind in of.items()])
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._table_of = pyarrow.Table.from_pylist

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.write_table(self._table_of(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _require_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise SessionError(
            f"Parquet is written by pyarrow, which cannot be imported ({error}); "
            "install it with `pip install -c constraints.txt '.[parquet]'`, or give --to csv"
        ) from None


_TABLES: dict[Kind, Callable[[Path, Columns], Table]] = {"csv": _Csv, "parquet": _Parquet}
