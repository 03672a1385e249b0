import pytest

from realtime.errors import DataError
from train.datasets.annotation.reading import Correction, Entry, assemble, moments, number
from train.datasets.annotation.table import TableRow
from train.datasets.annotation.tree import Tree

CELLS = {"clip": "a", "onset": "12", "apex": "16", "offset": "20", "units": "4+L10", "label": "Anger"}


@pytest.fixture
def read(tmp_path, pictures):
    """Assemble rows that differ from CELLS; folder a holds the pictures 10 ... 30."""
    pictures("a", range(10, 31))

    def go(*rows, long=False, corrections=()):
        def entry(row):
            return Entry(row["clip"], "p", row["label"], (row["clip"],), 20.0, moments(row), row["units"], long=long)

        found = [TableRow(f"t.csv row {at}", CELLS | row) for at, row in enumerate(rows, 2)]
        return assemble(found, entry, Tree(tmp_path), corrections)

    return go


def only(reading):
    assert reading.problems == ()
    (sample,) = reading.samples
    return sample


def times(sample):
    return pytest.approx((sample.onset_s, sample.apex_s, sample.offset_s))


def test_moments_are_seconds_from_the_first_picture(read):
    sample = only(read({}))
    assert times(sample) == (2 / 20, 6 / 20, 10 / 20)
    assert (sample.recording.first, sample.recording.last, sample.recording.fps) == (10, 30, 20.0)
    assert [(unit.number, unit.side) for unit in sample.action_units] == [(4, ""), (10, "L")]
    assert (sample.raw_label, sample.estimated) == ("Anger", ())


@pytest.mark.parametrize("sign", ["", "/", "\\", "0"])
def test_a_missing_apex_is_the_middle_and_is_named(read, sign):
    sample = only(read({"apex": sign, "offset": "21"}))
    assert (times(sample), sample.estimated) == ((2 / 20, 6 / 20, 11 / 20), ("apex",))


def test_a_missing_offset_of_a_clip_is_its_last_picture(read):
    sample = only(read({"offset": ""}))
    assert (times(sample), sample.estimated) == ((2 / 20, 6 / 20, 20 / 20), ("offset",))


def test_without_any_moment_the_clip_is_the_event(read):
    sample = only(read({"onset": "", "apex": "", "offset": ""}))
    assert (times(sample), sample.estimated) == ((0.0, 0.5, 1.0), ("onset", "apex", "offset"))


def test_a_part_of_a_long_video_is_cut_out_with_a_second_around_it(read, pictures):
    pictures("b", range(1, 101))
    sample = only(read({"clip": "b", "onset": "42", "apex": "46", "offset": "50"}, long=True))
    assert (sample.recording.first, sample.recording.last) == (22, 70)
    assert times(sample) == (20 / 20, 24 / 20, 28 / 20)


def test_a_missing_offset_in_a_long_video_mirrors_the_rise(read, pictures):
    pictures("b", range(1, 101))
    sample = only(read({"clip": "b", "onset": "42", "apex": "46", "offset": "0"}, long=True))
    assert sample.offset_s - sample.apex_s == pytest.approx(sample.apex_s - sample.onset_s)
    assert sample.estimated == ("offset",)


@pytest.mark.parametrize("cells", [{"onset": ""}, {"apex": "0", "offset": "0"}])
def test_a_long_video_does_not_say_where_the_event_is(read, cells):
    assert "where in the video" in read(cells, long=True).problems[0]


def test_a_first_frame_of_0_is_a_frame(read, pictures):
    pictures("b", range(0, 6))
    sample = only(read({"clip": "b", "onset": "0", "apex": "3", "offset": "5"}))
    assert (times(sample), sample.estimated) == ((0.0, 3 / 20, 5 / 20), ())


def test_everything_that_is_wrong_is_listed_with_file_and_row(read, pictures):
    folder = pictures("b", range(10, 31))
    (folder / "img14.png").unlink()
    (folder / "img15.png").unlink()
    reading = read(
        {"clip": "nowhere", "onset": "EP", "units": "X9"},
        {"clip": "b", "offset": "31"},
        {},
        {"apex": "21"},
        {},
    )
    assert len(reading.samples) == 2
    wanted = [
        ("t.csv row 2: nowhere: no ", "unpack it there"),
        ("t.csv row 2: nowhere: ", "'X9'"),
        ("t.csv row 2: nowhere: ", "'EP' is no frame number"),
        ("t.csv row 3: b: ", "offset 31 is outside the pictures 10 to 30"),
        ("t.csv row 3: b: ", "2 pictures are missing between 10 and 30: 14, 15"),
        ("t.csv row 5: a: ", "apex 21 is not between 12 and 20"),
        ("a: ", "listed more than once"),
    ]
    assert len(reading.problems) == len(wanted)
    for problem, (start, part) in zip(reading.problems, wanted, strict=True):
        assert problem.startswith(start)
        assert part in problem


def test_labels_of_rows_that_cannot_be_used_are_known_too(read):
    assert read({"clip": "nowhere", "label": "Rage"}).labels == {"t.csv row 2": "Rage"}


def test_known_mistakes_are_corrected_and_said(read):
    corrections = [
        Correction("A", "apex", "", "17", "not coded"),
        Correction("a", "offset", None, "22", "a slip"),
        Correction("a", "onset", "11", "10", "not this one"),
    ]
    reading = read({"apex": "/"}, corrections=corrections)
    sample = only(reading)
    assert (times(sample), sample.estimated) == ((2 / 20, 7 / 20, 12 / 20), ())
    assert reading.corrections == (
        "t.csv row 2: a: apex '/', used 17: not coded",
        "t.csv row 2: a: offset '20', used 22: a slip",
    )


def test_ids_are_fit_for_file_names(read, pictures):
    pictures("spNO.1", range(10, 31))
    assert only(read({"clip": "spNO.1"})).id == "spNO_1"


def test_an_empty_folder_is_a_problem(read, tmp_path):
    (tmp_path / "b").mkdir()
    assert "no numbered pictures" in read({"clip": "b"}).problems[0]


def test_a_subject_has_one_number():
    assert [number(text) for text in ("01", "1", "s01", "sub07")] == [1, 1, 1, 7]
    for text in ("", "anna", "s1-2"):
        with pytest.raises(DataError, match="one number"):
            number(text)
