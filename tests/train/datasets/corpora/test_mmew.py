import pytest

from train.datasets.corpora.mmew import read

HEAD = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion,remarks,label,one_hot_label\n"


def test_clips_lie_in_the_folders_of_their_emotions(tmp_path, pictures):
    table = tmp_path / "MMEW_Micro_Exp.csv"
    table.write_text(HEAD + '1,S01-01-001,1,15,31,12L,happiness,,1,"[1,0,0,0,0,0]"\n', "utf-8")
    pictures("Micro_Expression/happiness/S01-01-001", range(1, 32), "{}.png")
    (sample,) = read(tmp_path, None).samples
    assert (sample.id, sample.subject, sample.raw_label) == ("S01-01-001", "S01", "happiness")
    assert (sample.onset_s, sample.apex_s, sample.offset_s) == pytest.approx((0.0, 14 / 90, 30 / 90))
    assert [(unit.number, unit.side) for unit in sample.action_units] == [(12, "L")]
