import pytest

from train.datasets.corpora.samm_lv import read

LEGEND = [["Legend"]] * 9
HEAD = [
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "Action Units",
    "Notes",
]
ROWS = [
    ["006", "006_1_1", 1, 410.0, 430.0, 470.0, 61.0, "Macro", "4+7", None],
    ["006", "006_1_2", 1, 562, 588, 632, 71, "Micro - 1/2", 4, None],
]


@pytest.fixture
def root(tmp_path, pictures):
    pictures("SAMM_longvideos/006_1", range(1, 701), "006_1_{:04d}.png")
    return tmp_path


def test_macro_and_micro_expressions_of_one_video_are_cut_out(root, spreadsheet):
    reading = read(root, spreadsheet("SAMM_LongVideos_V2_Release.xlsx", [*LEGEND, HEAD, *ROWS]))
    assert reading.problems == ()
    assert [(s.id, s.kind, s.raw_label) for s in reading.samples] == [
        ("006-006_1_1", "macro", "macro"),
        ("006-006_1_2", "micro", "micro"),
    ]
    macro, micro = reading.samples
    assert (macro.recording.first, macro.recording.last) == (210, 670)
    assert (micro.recording.first, micro.recording.last) == (362, 700)
    assert (micro.onset_s, micro.apex_s, micro.offset_s) == pytest.approx((1.0, 1.13, 1.35))


def test_another_type_is_a_problem(root, spreadsheet):
    reading = read(root, spreadsheet("t.xlsx", [HEAD, [*ROWS[0][:7], "Mini", 4, None]]))
    assert "type 'Mini'" in reading.problems[0]
