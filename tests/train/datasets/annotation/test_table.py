import pytest

from realtime.errors import DataError
from train.datasets.annotation.table import find_table, missing, rate, read_columns, read_sheets, read_table, whole

COLUMNS = {"clip": ("Filename",), "onset": ("Onset Frame", "Onset"), "label": ("Estimated Emotion",)}
HEAD = ("Filename", None, "OnsetFrame", "estimated emotion ")
LEGEND = [("Onset: the first frame",), (), ("Filename: see the paper", "Onset")]


def cells(rows):
    return [tuple(row.cells.values()) for row in rows]


def test_a_header_is_found_below_a_legend_and_in_any_spelling(spreadsheet):
    rows = read_table(spreadsheet("t.xlsx", [*LEGEND, HEAD, ("EP01", None, 46.0, " Others ")]), COLUMNS)
    assert cells(rows) == [("EP01", "46", "Others")]
    assert rows[0].where == "t.xlsx row 5"


def test_numbers_text_and_blanks_come_as_text(spreadsheet):
    path = spreadsheet("t.xlsx", [HEAD, (7, None, "46", None), (None, None, None, None), ("01", "x", 1.5, "/")])
    assert cells(read_table(path, COLUMNS)) == [("7", "46", ""), ("01", "1.5", "/")]


def test_the_sheet_that_has_the_header_is_read(spreadsheet):
    rows = read_table(
        spreadsheet("t.xlsx", Empty=[], Notes=[("a", "b")], Codes=[HEAD, ("c", None, 1, "fear")]), COLUMNS
    )
    assert rows[0].where == "t.xlsx [Codes] row 2"


def test_missing_columns_are_all_named(spreadsheet):
    with pytest.raises(DataError) as found:
        read_table(spreadsheet("t.xlsx", [("Filename", "Total"), ("c", 1)]), COLUMNS)
    assert found.value.problems == ("no column Onset Frame or Onset", "no column Estimated Emotion")


def test_an_empty_table_is_refused(spreadsheet):
    with pytest.raises(DataError, match="no header row"):
        read_table(spreadsheet("t.xlsx", []), COLUMNS)


def test_a_csv_is_read_with_its_mark_of_order_and_short_rows(tmp_path):
    (tmp_path / "t.csv").write_text("Filename,Onset,Estimated Emotion\nEP01, 3\n\nEP02,4,fear\n", "utf-8-sig")
    assert cells(read_table(tmp_path / "t.csv", COLUMNS)) == [("EP01", "3", ""), ("EP02", "4", "fear")]


def test_a_sheet_without_a_header_is_read_by_position(spreadsheet):
    path = spreadsheet("t.xlsx", Codes=[(1, "anger1_1", None), (None, None, "stray")], Other=[(2, "b")])
    rows = read_columns(path, "Codes", ("subject", "clip"))
    assert [dict(row.cells) for row in rows] == [{"subject": "1", "clip": "anger1_1"}]
    with pytest.raises(DataError, match=r"\[Codes\].*wanted 'Rules'"):
        read_columns(path, "Rules", ("subject",))


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
def test_a_file_that_is_no_table_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x80 no table")
    with pytest.raises(DataError, match="cannot be read"):
        read_sheets(tmp_path / name)


def test_an_unknown_kind_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "t.ods").touch()
    with pytest.raises(DataError, match="unknown kind"):
        read_sheets(tmp_path / "t.ods")
    with pytest.raises(DataError, match="no table"):
        read_sheets(tmp_path / "t.csv")


def test_the_newest_table_beside_or_in_the_root_is_found(tmp_path):
    root = tmp_path / "Cropped"
    root.mkdir()
    for name in ("coding-2014.xlsx", "coding-2019.xlsx", "~coding-2020.xlsx"):
        (tmp_path / name).touch()
    assert find_table(root, None, ("*coding-*.xlsx",)).name == "coding-2019.xlsx"
    assert find_table(root, tmp_path / "mine.csv", ("*.xlsx",)).name == "mine.csv"
    with pytest.raises(DataError, match="--table"):
        find_table(root, None, ("other*.xlsx",))


@pytest.mark.parametrize("text", ["", "/", "\\", "?", "NULL", "nan"])
def test_signs_for_nothing_are_missing(text):
    assert missing(text)


def test_frame_numbers_and_rates_are_strict():
    assert (whole("46"), whole("46.0"), whole("007"), rate("29.97")) == (46, 46, 7, 29.97)
    for text in ("4.5", "-1", "EP01", ""):
        with pytest.raises(DataError, match="no frame number"):
            whole(text)
    for text in ("0", "-30", "fast", "", "inf", "nan"):
        with pytest.raises(DataError, match="no frame rate"):
            rate(text)
