import pytest

from train.datasets.corpora.casme2 import read

HEAD = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]
ROWS = [
    ["01", "EP02_01f", None, 46, 59, 86, None, 12, "happiness"],
    [4, "EP12_01f ", None, 261, "/", 321, None, "4+L10", "disgust"],
    ["07", "EP06_02_01", None, 11, 66, 70, None, "?", "disgust"],
]


@pytest.fixture
def root(tmp_path, pictures, spreadsheet):
    spreadsheet("CASME2-coding-20140508.xlsx", Sheet1=[HEAD, *ROWS], Sheet2=[], Sheet3=[])
    pictures("Cropped/sub01/EP02_01f", range(46, 87), "reg_img{}.png")
    pictures("Cropped/sub04/EP12_01f", range(261, 322), "reg_img{}.png")
    pictures("Cropped/sub07/EP06_02_01", range(11, 92), "reg_img{}.png")
    return tmp_path


def test_the_tree_is_read_at_200_hz(root):
    reading = read(root, None)
    assert reading.problems == ()
    first = reading.samples[0]
    assert (first.id, first.subject, first.raw_label, first.kind) == ("sub01-EP02_01f", "sub01", "happiness", "micro")
    assert (first.onset_s, first.apex_s, first.offset_s) == pytest.approx((0.0, 13 / 200, 40 / 200))
    assert first.recording.path == root / "Cropped" / "sub01" / "EP02_01f"


def test_the_two_cells_that_are_wrong_are_corrected_and_said(root):
    reading = read(root, None)
    assert [sample.apex_s for sample in reading.samples[1:]] == pytest.approx([18 / 200, 55 / 200])
    assert reading.samples[2].offset_s == pytest.approx(80 / 200)
    assert [made.partition(":")[0] for made in reading.corrections] == [
        "CASME2-coding-20140508.xlsx [Sheet1] row 3",
        "CASME2-coding-20140508.xlsx [Sheet1] row 4",
    ]
    assert all(sample.estimated == () for sample in reading.samples)


def test_raw_pictures_come_before_registered_ones_and_their_folder_may_be_the_root(root, pictures):
    for _, clip, _, onset, _, offset, *_ in ROWS[:1]:
        pictures(f"CASME2_RAW_selected/sub01/{clip}", range(onset, offset + 1))
    reading = read(root, None)
    assert reading.samples[0].recording.path.parts[-3] == "CASME2_RAW_selected"
    assert len(reading.problems) == 2
    assert read(root / "Cropped", None).problems == ()


def test_all_problems_are_listed_at_once(root):
    (root / "Cropped" / "sub01" / "EP02_01f" / "reg_img50.png").unlink()
    for path in (root / "Cropped" / "sub04" / "EP12_01f").iterdir():
        path.unlink()
    missing, empty = read(root, None).problems
    assert "row 2: sub01-EP02_01f: 1 pictures are missing between 46 and 86: 50" in missing
    assert "row 3: sub04-EP12_01f" in empty
    assert "no numbered pictures" in empty
