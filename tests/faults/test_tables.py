"""Annotation tables that were made to hang or to burst whoever reads them."""

import time
import zipfile

import openpyxl
import pytest

from realtime.errors import DataError
from train.datasets.annotation import table


@pytest.fixture
def book(tmp_path):
    """Writes a workbook of two rows, with some of its parts changed by name."""

    def write(**parts):
        plain, path = tmp_path / "plain.xlsx", tmp_path / "table.xlsx"
        made = openpyxl.Workbook()
        made.active.append(["Subject", "Onset"])
        made.active.append([1, 46.0])
        made.save(plain)
        with zipfile.ZipFile(plain) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after:
            for name in before.namelist():
                change = parts.get(name.rpartition("/")[2].partition(".")[0], lambda text: text)
                after.writestr(name, change(before.read(name)))
        return path

    return write


def test_a_table_is_read_as_it_was(book):
    assert table.read_sheets(book()) == {"": [["Subject", "Onset"], ["1", "46"]]}


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
WIDE = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (row, row) for row in range(3, 400)) + b"</sheetData>"
MERGED = b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
DIMENSION = b'<dimension ref="A1:XFD1048576"/>'


@pytest.mark.promise("a workbook with a far cell, or many", "refused at once", "hung at 1.3 GB before; now 1 s")
@pytest.mark.parametrize("end", [FAR, WIDE])
def test_a_cell_that_is_far_away_is_refused_at_once(end, book):
    path, began = book(sheet1=lambda text: text.replace(b"</sheetData>", end)), time.process_time()
    with pytest.raises(DataError, match="at most 2000000 cells"):
        table.read_sheets(path)
    assert time.process_time() - began < 3.0


@pytest.mark.promise(
    "a workbook that states or merges 17 thousand million cells", "read as it is", "2 of 2; hung before"
)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"</sheetData>", MERGED),
        lambda text: text.replace(b'<dimension ref="A1:B2"/>', DIMENSION).replace(
            b'<dimension ref="A1:B2" />', DIMENSION
        ),
    ],
)
def test_what_is_only_stated_costs_nothing(change, book):
    began = time.process_time()
    assert table.read_sheets(book(sheet1=change)) == {"": [["Subject", "Onset"], ["1", "46"]]}
    assert time.process_time() - began < 3.0


@pytest.mark.promise("a workbook that grows to 80 MB", "refused before it is unpacked", "1 of 1")
def test_a_zip_bomb_is_refused_before_it_is_unpacked(book):
    path = book(sheet1=lambda text: text.replace(b"<sheetData>", b"<sheetData>" + b" " * 80_000_000))
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match="80 MB unpacked, at most 64"):
        table.read_sheets(path)


@pytest.mark.promise("bad XML in a workbook", "one line and no traceback", "12 of 12; tracebacks before")
@pytest.mark.parametrize("part", ["sheet1", "workbook", "styles"])
@pytest.mark.parametrize("text", [b"", b"<a", b"<a></b>", b"\xff\xfe\0"])
def test_bad_xml_ends_in_one_line(part, text, book):
    with pytest.raises(DataError, match=r"^[^\n]*table.xlsx cannot be read: [^\n]*$"):
        table.read_sheets(book(**{part: lambda _: text}))
