"""The table says what the tests say."""

import promises


def test_the_table_is_what_the_markers_say():
    assert promises.TABLE.read_text(encoding="utf-8") == promises.table(), "run python tests/faults/promises.py"


def test_no_cell_of_the_table_is_empty():
    rows = list(promises.promises())
    assert len(rows) > 15
    assert all(all(cell.strip() for cell in row) for row in rows)
