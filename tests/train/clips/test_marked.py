"""How the faces of marked clips move, of the bundled stream."""

import numpy as np
import pytest

from realtime.spotting.recurrent import unpacked
from train.clips import marked as watched
from train.clips.marked import marked_faces
from train.datasets.marked.marks import read
from train.datasets.marked.playing import Playing

MARK = ("short.avi", 4.0, 4.15, 4.16, 4.37, "surprise", "surprise", "as scripted")
OWN, FAST, WEAK = Playing(1.0, 1.0), Playing(4.0, 1.0), Playing(1.0, 0.33)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("watched")


@pytest.fixture
def clips(filmed, marked):
    return read(filmed, marked(filmed, [("short.avi", "anna", "choosing")], [MARK]))


def size(face, begin, end):
    """How much the face moves between two moments, at most: root mean square over the field."""
    fields, _, _ = unpacked(face.rows[(face.times >= begin) & (face.times <= end)].astype(np.float32), 28)
    return float(np.sqrt(np.square(fields).mean((1, 2, 3))).max())


def test_a_clip_is_watched_as_it_is_and_its_expressions_faster_and_weaker(clips, cache, landmarks):
    own, fast, weak = marked_faces(clips, [OWN, FAST, WEAK], cache, 1)
    assert [face.person for face in (own, fast, weak)] == ["anna"] * 3
    assert own.times[-1] == pytest.approx(5.5, abs=0.1)
    [mark] = fast.marks
    assert mark.offset_s - mark.onset_s == pytest.approx(0.37 / 4, abs=1e-6)
    assert fast.times[-1] < 3.0
    assert own.rows.dtype == np.float16
    assert len(own.rows) == len(own.times)
    strong, faint = (size(each, each.marks[0].onset_s + 0.05, each.marks[0].offset_s) for each in (own, weak))
    assert faint < strong


def test_what_was_watched_is_read_again(clips, cache, monkeypatch):
    first = marked_faces(clips, [OWN], cache, 1)
    monkeypatch.setattr(watched, "open_landmarker", None)
    again = marked_faces(clips, [OWN], cache, 1)
    for one, same in zip(first, again, strict=True):
        assert np.array_equal(one.rows, same.rows)
        assert np.array_equal(one.times, same.times)
        assert one.marks == same.marks
    with pytest.raises(TypeError):
        marked_faces(clips, [Playing(1.3, 1.0)], cache, 1)


def test_of_a_clip_without_expressions_only_what_people_might_do_is_watched(filmed, marked, cache):
    quiet = read(filmed, marked(filmed, [("short.avi", "anna", "choosing")], []))
    found = marked_faces(quiet, [OWN, Playing(8.0, 1.0), WEAK], cache, 1)
    assert {face.playing for face in found} == {OWN}
