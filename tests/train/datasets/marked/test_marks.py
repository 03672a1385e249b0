from collections import Counter

import pytest

from realtime.errors import DataError
from train.datasets.annotation.table import read_table
from train.datasets.marked.marks import FOLDER, Mark, among, moved, read

SMILE = ("a.mp4", 1.0, 1.2, 1.5, 2.0, "positive", "happiness", "open smile")
UNSURE = ("a.mp4", 3.0, "", "", 4.0, "unsure", "", "speech")


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_text(name)
    return folder


def problems(clips, tables):
    with pytest.raises(DataError) as found:
        read(clips, tables)
    return str(found.value)


def test_marks_are_read_in_order_with_their_clip_and_its_person(clips, marked):
    tables = marked(clips, [("a.mp4", "ann", "choosing"), ("b.mp4", "ben", "testing")], [UNSURE, SMILE])
    first, second = read(clips, tables)
    assert first.marks == (Mark(1.0, 1.2, 1.5, 2.0, "positive", "happiness"), Mark(3.0, 3.5, 3.5, 4.0, "unsure", ""))
    assert first.counting == first.marks[:1]
    assert (first.path, first.person, first.people) == (clips / "a.mp4", "ann", "choosing")
    assert (second.marks, second.people) == ((), "testing")


def test_another_file_than_was_marked_and_one_that_is_missing_are_refused(clips, marked):
    rows = [("a.mp4", "ann", "choosing"), ("c.mp4", "cy", "testing", "0" * 16)]
    tables = marked(clips, rows, [SMILE])
    (clips / "a.mp4").write_text("encoded anew")
    said = problems(clips, tables)
    assert "a.mp4 is another file than was marked" in said
    assert f"no clip {clips / 'c.mp4'}" in said


def test_a_person_is_on_one_side_only(clips, marked):
    tables = marked(clips, [("a.mp4", "ann", "choosing"), ("b.mp4", "ann", "testing")], [])
    assert "clips.csv row 3: ann is on both sides" in problems(clips, tables)
    tables = marked(clips, [("a.mp4", "ann", "training")], [])
    assert "people is 'training', wanted choosing or testing" in problems(clips, tables)


def test_some_people_may_be_left_out_or_asked_for_alone(clips, marked):
    both = read(clips, marked(clips, [("a.mp4", "ann", "choosing"), ("b.mp4", "ben", "choosing")], []))
    assert [clip.person for clip in among(both)] == ["ann", "ben"]
    assert [clip.person for clip in among(both, only=["ben"])] == ["ben"]
    assert [clip.person for clip in among(both, without=["ben"])] == ["ann"]
    for asked in ({"only": ["bet"]}, {"without": ["ann", "bet"]}):
        with pytest.raises(DataError, match="no marked clip is of bet; wanted some of ann, ben"):
            among(both, **asked)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({0: "z.mp4"}, "clips.csv has no 'z.mp4'"),
        ({2: 0.9}, "are not onset, apex, held and offset in seconds and in order"),
        ({2: ""}, "are not onset, apex, held and offset"),
        ({4: "late"}, "are not onset, apex, held and offset"),
        ({1: -1.0}, "are not onset, apex, held and offset"),
        ({5: "joy"}, "class is 'joy', wanted one of negative, positive, surprise, others, unsure"),
        ({6: "anger"}, "label is 'anger', which is no positive one of FER+"),
        ({6: "neutral"}, "label is 'neutral', which is no positive one"),
        ({5: "others", 6: ""}, "label is ''; wanted a word for others"),
        ({5: "unsure", 2: "", 3: ""}, "label is 'happiness'; wanted a word for others, and nothing for unsure"),
    ],
)
def test_a_wrong_mark_is_told_with_its_row(clips, marked, changes, wanted):
    row = [changes.get(i, cell) for i, cell in enumerate(SMILE)]
    said = problems(clips, marked(clips, [("a.mp4", "ann", "choosing")], [UNSURE, row]))
    assert f"marks.csv row 3: {wanted}" in said or ("marks.csv row 3" in said and wanted in said)


def test_two_at_one_time_are_refused(clips, marked):
    other = ("a.mp4", 1.9, "", "", 2.5, "unsure", "", "")
    said = problems(clips, marked(clips, [("a.mp4", "ann", "choosing")], [SMILE, other]))
    assert "a.mp4: one begins at 1.9 s, before another ends at 2 s" in said


def test_a_mark_moves_with_the_clock():
    mark = Mark(3.0, 4.0, 5.0, 7.0, "surprise", "surprise")
    assert moved(mark, 2.0, 0.5, 4.0) == Mark(0.75, 1.0, 1.25, 1.75, "surprise", "surprise")


def test_all_that_is_wrong_with_the_shipped_tables_beside_empty_files_is_the_files(tmp_path):
    names = [row["clip"] for row in read_table(FOLDER / "clips.csv", {"clip": ("clip",)})]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError) as found:
        read(tmp_path)
    assert str(found.value).count("another file than was marked") == len(names) == len(set(names))
    assert "marks.csv row" not in str(found.value)


def test_no_person_is_on_both_sides_and_both_show_every_class():
    rows = read_table(FOLDER / "clips.csv", {name: (name,) for name in ("clip", "person", "people")})
    sides = {row["clip"]: row["people"] for row in rows}
    people = {side: {row["person"] for row in rows if row["people"] == side} for side in ("choosing", "testing")}
    assert people["choosing"] & people["testing"] == set()
    marks = read_table(FOLDER / "marks.csv", {name: (name,) for name in ("clip", "class")})
    counts = Counter((sides[mark["clip"]], mark["class"]) for mark in marks)
    for side in people:
        assert min(counts[side, shown] for shown in ("negative", "positive", "surprise")) >= 3


def test_the_clips_themselves_fit_the_shipped_tables(clip):
    clip("real")  # older copies of the shared clips lack them
    found = read(clip("."))
    assert sum(len(each.counting) for each in found) == 69
    assert {mark.class_ for each in found for mark in each.counting} == {"negative", "positive", "surprise", "others"}
