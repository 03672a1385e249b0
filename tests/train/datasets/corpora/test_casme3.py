import pytest

from train.datasets.corpora.casme3 import read

HEAD = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]


def test_expressions_of_one_video_are_told_apart_by_their_onsets(tmp_path, pictures, spreadsheet):
    rows = [
        ["spNO.1", "e", "62", "68", "96", "R12", "I", "Others"],
        ["spNO.1", "e", "96", "102", "0", "R12", "I", "happy"],
        ["spNO.216", "e", "0", "17", "25", "14", "VII", "others"],
    ]
    spreadsheet("cas(me)3_part_A_ME_label.xlsx", label=[HEAD, *rows], Sheet1=[[None]] * 3, Sheet3=[])
    pictures("part_A/spNO.1/e/color", range(1, 201), "{}.png")
    pictures("part_A/spNO.216/e/color", range(1, 100), "{}.png")
    reading = read(tmp_path, None)
    assert reading.problems == ()
    assert [sample.id for sample in reading.samples] == ["spNO_1-e-62", "spNO_1-e-96", "spNO_216-e-0"]
    first, second, third = reading.samples
    assert (first.recording.first, first.recording.last, first.apex_s) == (32, 126, pytest.approx(1.2))
    assert (second.offset_s, second.estimated) == (pytest.approx(1.4), ("offset",))
    assert (third.onset_s, third.recording.first) == (0.0, 1)
    assert "onset '0', used 1" in reading.corrections[0]
