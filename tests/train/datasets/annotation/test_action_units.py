import pytest

from realtime.errors import DataError
from train.datasets.annotation.action_units import ActionUnit, parse
from train.datasets.annotation.table import read_sheets


def unit(number, side="", strength="", sure=True):
    return ActionUnit(number, side, strength, sure)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("12", [unit(12)]),
        ("4+L10", [unit(4), unit(10, "L")]),
        ("R1+R2", [unit(1, "R"), unit(2, "R")]),
        ("A9+12", [unit(9, "A"), unit(12)]),
        ("10A/B", [unit(10, strength="A/B")]),
        ("5B+24", [unit(5, strength="B"), unit(24)]),
        ("(R6 or R12) + R15", [unit(6, "R", sure=False), unit(12, "R", sure=False), unit(15, "R")]),
        ("R14A or 17A", [unit(14, "R", "A", sure=False), unit(17, "", "A", sure=False)]),
        ("10or11", [unit(10, sure=False), unit(11, sure=False)]),
        ("ref(7B)+43E", [unit(7, strength="B", sure=False), unit(43, strength="E")]),
        ("A/L12", [unit(12, "A/L")]),
        ("12L", [unit(12, "L")]),
        ("T18+39", [unit(18, "T"), unit(39)]),
        ("4,24,6", [unit(4), unit(24), unit(6)]),
        ("R4+AD38", [unit(4, "R"), unit(38)]),
        ("5+14+M58", [unit(5), unit(14), unit(58)]),
        ("L12 + 61", [unit(12, "L"), unit(61)]),
        ("R14+17+soft focus", [unit(14, "R"), unit(17)]),
        ("4+?", [unit(4)]),
    ],
)
def test_spellings_of_the_tables_are_understood(text, units):
    assert list(parse(text)) == units


@pytest.mark.parametrize("text", ["", "?", "/", "\\", "NULL", "null"])
def test_nothing_coded_is_no_unit(text):
    assert parse(text) == ()


@pytest.mark.parametrize("text", ["4+X12", "123", "L12R", "4Z"])
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(DataError, match="is not understood"):
        parse(text)


@pytest.mark.parametrize(
    ("name", "sheet", "column"),
    [
        ("CASME2-coding-20190701.xlsx", " [Sheet1]", "Action Units"),
        ("SAMM.xlsx", "", "Action Units"),
        ("casme3_table.xlsx", " [label]", "AU"),
        ("DFME_testA_full_with_AU.xlsx", "", "AU"),
        ("MMEW_Micro_Exp_delete_others.csv", "", "Action Units"),
    ],
)
def test_every_unit_of_the_real_tables_is_understood(annotations, name, sheet, column):
    head, *rows = read_sheets(annotations(name))[sheet]
    units = [parse(row[head.index(column)]) for row in rows]
    assert sum(map(bool, units)) > 0.95 * len(units)
    assert all(1 <= one.number <= 76 for each in units for one in each)
