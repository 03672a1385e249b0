import pytest

from train.datasets.corpora.casme import read

HEAD = ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "Onset", "Total", "AU", "Emotion"]


def test_the_first_apex_is_used_and_a_backslash_is_nothing(tmp_path, pictures, spreadsheet):
    rows = [
        [1, "EP01_12", None, 10, 16, 20, 31, None, 100, 300, "4+L10", "tense"],
        [2, "EP03_1", None, 5, "\\", None, 15.0, None, "\\", "\\", "\\", "disgust"],
    ]
    spreadsheet("CASME.xlsx", [HEAD, *rows])
    pictures("Cropped/sub01/EP01_12", range(10, 32), "reg_EP01_12-{}.png")
    pictures("Cropped/sub02/EP03_1", range(1, 21), "reg_EP03_1-{}.png")
    reading = read(tmp_path, None)
    assert reading.problems == ()
    first, last = reading.samples
    assert (first.onset_s, first.apex_s, first.offset_s) == pytest.approx((0.0, 6 / 60, 21 / 60))
    assert (last.apex_s, last.estimated, last.action_units) == (pytest.approx(9 / 60), ("apex",), ())
    assert (last.subject, last.raw_label) == ("sub02", "disgust")
