import pytest

from realtime.errors import DataError
from train.datasets.corpora.smic import read

HEAD = ["data", "subject", "clip", "label", "onset_frame", "apex_frame", "offset_frame", "onset_frame_path"]


@pytest.fixture
def root(tmp_path, pictures):
    base = "SMIC_all_cropped/HS"
    pictures(f"{base}/s01/micro/negative/s01_ne_01", range(562, 593), "reg_image{}.png")
    pictures(f"{base}/s01/micro/positive/s01_po_01", range(700, 721), "reg_image{}.png")
    pictures(f"{base}/s20/micro/surprise/s20_sur_05", range(100, 121), "reg_image{}.png")
    return tmp_path


def test_without_a_table_clips_run_from_onset_to_offset_and_the_apex_is_the_middle(root):
    reading = read(root, None)
    assert [(s.id, s.subject, s.raw_label) for s in reading.samples] == [
        ("s01_ne_01", "s01", "negative"),
        ("s01_po_01", "s01", "positive"),
        ("s20_sur_05", "s20", "surprise"),
    ]
    first = reading.samples[0]
    assert (first.onset_s, first.apex_s, first.offset_s) == pytest.approx((0.0, 0.15, 0.3))
    assert first.estimated == ("onset", "apex", "offset")


def test_the_community_table_gives_apexes_and_lacks_offsets(root, spreadsheet):
    rows = [
        ["smic", 1, "s1_ne_01", 0, 562, 570, 592, "smic/HS_long/..."],
        ["smic", 20, "s20_sur_05", 2, 100, 104, None, None],
    ]
    reading = read(root, spreadsheet("smic_apex.xlsx", [HEAD, *rows]))
    assert reading.problems == ()
    first, last = reading.samples
    assert (first.subject, first.apex_s, first.estimated) == ("s01", pytest.approx(0.08), ())
    assert (last.raw_label, last.offset_s, last.estimated) == ("surprise", pytest.approx(0.2), ("offset",))


def test_another_label_and_a_clip_that_is_elsewhere_are_listed(root, spreadsheet):
    rows = [["smic", 1, "s1_ne_01", 3, 562, 570, 592, None], ["smic", 1, "s1_ne_01", 1, 562, 570, 592, None]]
    problems = read(root, spreadsheet("t.xlsx", [HEAD, *rows])).problems
    assert len(problems) == 2
    assert "label '3'" in problems[0]
    assert "positive/s1_ne_01" in problems[1]


def test_a_root_without_clips_says_what_it_should_hold(tmp_path):
    with pytest.raises(DataError, match="s1_ne_01"):
        read(tmp_path, None)
