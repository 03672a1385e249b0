import json

import pytest

from realtime.demo import truth as sample
from realtime.errors import DataError
from train.chain import scripted, table
from train.chain.truth import Distraction, Labelled, people, seen

HEAD = "video,kind,label,onset,apex,offset,person,units"


@pytest.fixture
def write(tmp_path):
    """A table of rows, with two videos beside it; as cells are only looked for, they are empty files."""

    def written(*rows, head=HEAD, name="truth.csv"):
        for video in ("a.mp4", "b.mp4"):
            (tmp_path / video).touch()
        (tmp_path / name).write_text("\n".join([head, *rows]) + "\n")
        return tmp_path / name

    return written


def test_a_table_gives_its_videos_expressions_and_distractors(write, tmp_path):
    path = write(
        "a.mp4,macro,Happy,3,3.5,5,ann,",
        "a.mp4,micro,surprise,1,1.2,1.4,ann,1+2",
        "a.mp4,Blink,,2,,2.2,ann,",
        "b.mp4,,,,,,ben,",
    )
    for found in (scripted.read(path), scripted.read(tmp_path)):
        a, b = found
        assert a.expressions == (
            Labelled("a.mp4", "macro", 3.0, 3.5, 5.0, "happiness"),
            Labelled("a.mp4", "micro", 1.0, 1.2, 1.4, "surprise"),
        )
        assert a.distractions == (Distraction("a.mp4", "blink", 2.0, 2.2),)
        assert (a.path, a.person) == (tmp_path / "a.mp4", "ann")
        assert (b.expressions, b.distractions, b.person) == ((), (), "ben")
        assert people(found) == {"ann", "ben"}


def test_one_error_lists_everything_that_is_wrong_with_its_row(write):
    path = write(
        "a.mp4,micro,,1,0.9,1.4,ann,",
        "a.mp4,micro,,1,,1.4,ann,",
        "a.mp4,blink,,x,,inf,ann,",
        "a.mp4,,surprise,1,1.2,1.4,ann,",
        ",blink,,1,,2,ann,",
        "c.mp4,blink,,1,,2,,",
        "b.mp4,,,,,,ben,",
        "b.mp4,blink,,5,,6,ann,",
        "b.mp4,blink,,5,,6,ann,",
    )
    with pytest.raises(DataError) as refusal:
        table.read(path)
    message = str(refusal.value)
    for expected in (
        "row 2: 1, 0.9, 1.4 s are no onset, apex and offset in order",
        "row 3: apex is '', wanted seconds such as 12.4",
        "row 4: onset is 'x'",
        "row 4: offset is 'inf'",
        "row 5: no kind",
        "row 6: no video",
        "row 7: no video ",
        "row 8: b.mp4 is said to show 'ann' and 'ben'",
        "row 8: b.mp4 has a row without an event",
        "row 10 says the same again",
    ):
        assert expected in message


def test_missing_columns_an_empty_table_and_none_are_named(write, tmp_path):
    with pytest.raises(DataError, match="no column label\n  - no column apex"):
        table.read(write(head="video,kind,onset,offset"))
    with pytest.raises(DataError, match="it names no video"):
        table.read(write())
    with pytest.raises(DataError, match="no table"):
        table.read(tmp_path / "none.csv")


def test_videos_with_a_truth_file_beside_each_are_read_as_the_sample_is():
    (found,) = scripted.read(sample.FOLDER)
    script = sample.load().events
    assert found.path == sample.VIDEO
    assert [e.onset_s for e in found.expressions] == [e.onset for e in script if e.role in ("micro", "macro")]
    assert {d.name for d in found.distractions} == {"blink"}
    assert found.person == ""


def test_a_folder_in_which_a_video_lacks_its_truth_is_refused(tmp_path):
    with pytest.raises(DataError, match="no video in it"):
        scripted.read(tmp_path)
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.mp4").touch()
    event = {"role": "micro", "label": "surprise", "onset": 2.0, "apex": 1.0, "offset": 3.0}
    whole = {"rate_hz": 60.0, "seconds": 9.0, "person": "ann", "events": [event | {"apex": 2.5, "units": "1A"}]}
    (tmp_path / "a.json").write_text(json.dumps(whole))
    (tmp_path / "b.json").write_text(json.dumps(whole | {"events": [event]}))
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(DataError) as refusal:
        scripted.read(tmp_path)
    message = str(refusal.value)
    assert "b.json: micro: 2, 1, 3 s are no onset, apex and offset in order" in message
    assert "c.json: Object missing required field" in message
    assert "d.mp4: no d.json beside it" in message
    for name in ("b", "c", "d"):
        (tmp_path / f"{name}.mp4").unlink()
    (found,) = scripted.read(tmp_path)
    assert found.person == "ann"


def test_an_event_after_the_end_of_its_video_is_named(write):
    (video,) = table.read(write("a.mp4,micro,,1,1.2,1.4,,", "a.mp4,blink,,9,,9.4,,"))
    assert seen(video, 9.1) is video
    with pytest.raises(DataError, match=r"8\.00 s long.*\n  - blink at 9 s"):
        seen(video, 8.0)
    with pytest.raises(DataError, match=r"without a person.*\n  - a\.mp4"):
        people([video])
