import pytest

from train.datasets.corpora.dfme import read

HEAD = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "EmotionId", "Fps", "AU"]


def test_each_row_has_its_own_rate(tmp_path, pictures, spreadsheet):
    rows = [
        ["sub0008", "sub0008_01", 0, 20, 30, "happiness", 4, 500, "L12"],
        ["sub0199", "sub0199_09", 9, 12, 15, "contempt", 1, 200.0, "R4+AD38"],
        ["sub0199", "sub0199_10", 9, 12, 15, "contempt", 1, "fast", "R12"],
    ]
    spreadsheet("DFME_testA_full_with_AU.xlsx", [HEAD, *rows])
    pictures("sub0008/sub0008_01", range(0, 31), "{:05d}.png")
    pictures("sub0199_09", range(0, 20), "{:05d}.png")
    reading = read(tmp_path, None)
    first, second = reading.samples
    assert (first.apex_s, first.recording.fps, first.estimated) == (pytest.approx(0.04), 500.0, ())
    assert (second.onset_s, second.recording.fps) == (pytest.approx(0.045), 200.0)
    (problem,) = reading.problems
    assert "row 4: 'fast' is no frame rate" in problem
