import pytest

from train.datasets.corpora.samm import read

LEGEND = [[f"Row {number} of the legend"] for number in range(10)] + [[None], ["Micro: 1/2", "Duration"]]
HEAD = [
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro",
    "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
]  # fmt: skip
ROWS = [
    ["007", "007_6_1", 6, 497, 511, 541, "=SUM(F2-D2)+1", "Micro - 1/2", "(R6 or R12)+R15", "Happiness", 7, None],
    [13, "013_1_9", 1, 58, 80, 39, None, "Micro - 1/2", 7, "Anger", 7, None],
    ["028", "028_4_1", 4, 1071.0, None, 1134.0, None, "Micro - 1/2", "A14C", "Others", 7, "Blinks"],
]


@pytest.fixture
def root(tmp_path, pictures):
    pictures("SAMM/007/007_6_1", range(497, 542), "007_{:05d}.png")
    pictures("SAMM/013/013_1_9", [*range(58, 100)], "013_{}.png")
    pictures("SAMM/028/028_4_1", range(1071, 1135), "028_{}.png")
    return tmp_path


@pytest.mark.parametrize("legend", [LEGEND, []])
def test_the_tree_is_read_with_and_without_the_legend(root, spreadsheet, legend):
    spreadsheet("SAMM_Micro_FACS_Codes_v2.xlsx", [*legend, HEAD, ROWS[0], ROWS[2]])
    reading = read(root, None)
    assert reading.problems == ()
    first, last = reading.samples
    assert (first.id, first.subject, first.raw_label) == ("007-007_6_1", "007", "Happiness")
    assert (first.onset_s, first.apex_s, first.offset_s) == pytest.approx((0.0, 14 / 200, 44 / 200))
    assert [(unit.number, unit.side, unit.sure) for unit in first.action_units] == [
        (6, "R", False),
        (12, "R", False),
        (15, "R", True),
    ]
    assert last.apex_s == pytest.approx((1105 - 1071) / 200)
    assert f"row {len(legend) + 3}: 028-028_4_1: apex ''" in reading.corrections[0]


def test_an_apex_that_was_coded_is_left_alone(root, spreadsheet):
    table = spreadsheet("copy.xlsx", [HEAD, [*ROWS[2][:4], 1124, *ROWS[2][5:]]])
    reading = read(root / "SAMM", table)
    assert reading.samples[0].apex_s == pytest.approx((1124 - 1071) / 200)
    assert reading.corrections == ()


def test_a_corrected_frame_must_exist_too(root, spreadsheet):
    reading = read(root, spreadsheet("SAMM.xlsx", [HEAD, ROWS[1]]))
    assert "offset 5739 is outside the pictures 58 to 99" in reading.problems[0]
    assert "offset '39', used 5739" in reading.corrections[0]
