import pytest

from realtime.errors import DataError
from train.datasets.corpora.casme_squared import read

CODES = [
    [1, "anger1_1", 57, 72, 108, "4+10", "negative", "macro-expression", "anger", None, "Subject"],
    [1, "anger1_2", 155, 163, 0, "NULL", "negative", "micro-expression", "anger", None, 1, "1-anger1_1"],
    [11, "disgust1_5", 1221, 1230, 1224, 4, "others", "macro-expression", "happyiness"],
    [None, None, None, None, None, None, None, None, None, None, 22, "22-happy2_1"],
]
PEOPLE = [[15, "s15", 1], [15, "s15", 1], [29, "s29", 11]]
VIDEOS = [["0401", "anger1"], ["0101", "disgust1"]]


@pytest.fixture
def table(spreadsheet):
    def write(codes=CODES):
        sheets = {"CASFEcode_final": codes, "_naming_rule1": PEOPLE, "_naming_rule2": VIDEOS}
        return spreadsheet("CAS(ME)^2code_final.xlsx", **sheets)

    return write


@pytest.fixture
def root(tmp_path, pictures):
    pictures("rawpic/s15/15_0401girlcrashing", range(1, 201))
    pictures("rawpic/s29/29_0101disgustingteeth", range(1150, 1301))
    return tmp_path


def test_videos_are_found_by_the_naming_rules_and_expressions_cut_out(root, table):
    table()
    reading = read(root, None)
    assert reading.problems == ()
    macro, micro, _ = reading.samples
    assert (macro.id, macro.subject, macro.raw_label, macro.kind) == ("01-anger1_1", "01", "negative", "macro")
    assert macro.recording.path.name == "15_0401girlcrashing"
    assert (macro.onset_s, macro.apex_s, macro.offset_s) == pytest.approx((1.0, 1.5, 2.7))
    assert (micro.kind, micro.estimated, micro.action_units) == ("micro", ("offset",), ())
    assert micro.offset_s - micro.apex_s == pytest.approx(micro.apex_s - micro.onset_s)


def test_an_apex_behind_its_offset_is_corrected(root, table):
    reading = read(root, table())
    assert reading.samples[2].apex_s == reading.samples[2].offset_s
    assert "11-disgust1_5: apex '1230', used 1224" in reading.corrections[0]


def test_what_the_naming_rules_lack_is_listed(root, table):
    codes = [[9, *CODES[0][1:]], [1, "happy1_1", *CODES[0][2:]], [11, "anger1_1", *CODES[0][2:]], [*CODES[0][:7], "x"]]
    problems = read(root, table(codes)).problems
    assert len(problems) == 4
    assert "person 9" in problems[0]
    assert "video happy1_1" in problems[1]
    assert "29_0401*" in problems[2]
    assert "type 'x'" in problems[3]


def test_a_table_without_its_sheets_is_refused(root, spreadsheet):
    with pytest.raises(DataError, match="wanted 'naming rule1'"):
        read(root, spreadsheet("t.xlsx", a=CODES, b=PEOPLE))
