import logging

import pytest

from realtime.errors import DataError
from train.collection import collect, label_set, named
from train.config import Data


def test_sets_make_one_collection_under_unique_names(drawn, tmp_path):
    found = collect([drawn("a", people=2), drawn("b", people=2)], tmp_path)
    assert len(found.clips) == 12
    assert len({clip.case.id for clip in found.clips}) == 12
    assert {clip.case.subject for clip in found.clips} == {"a/p0", "a/p1", "b/p0", "b/p1"}
    assert [clip.case.id for clip in found.of(["b/0-1", "a/1-2"])] == ["b/0-1", "a/1-2"]


def test_clips_that_lost_the_face_are_left_out_and_named(drawn, tmp_path, caplog):
    dataset = drawn(people=2)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:5] if sample.id == "0-1" else film(sample)
    with caplog.at_level(logging.WARNING):
        found = collect([dataset], tmp_path)
    assert found.left_out == ("toy/0-1",)
    assert len(found.clips) == 5
    assert "1 of 6 clips are left out, the face was lost in them: toy/0-1" in caplog.text


def test_no_face_at_all_and_sets_that_disagree_are_refused(drawn, tmp_path):
    with pytest.raises(DataError, match="no face in any of 3 clips"):
        collect([drawn("empty", people=1, frames=3)], tmp_path)
    with pytest.raises(DataError) as refusal:
        collect([drawn("a"), drawn("a"), drawn("b", labels=("x", "y"))], tmp_path)
    assert refusal.value.problems == (
        "a: there 2 times",
        "b has the labels x, y, a negative, positive, surprise",
    )
    with pytest.raises(DataError, match="0 data sets"):
        collect([], tmp_path)


def test_the_key_changes_with_moments_and_labels(drawn, tmp_path):
    found = [collect([drawn()], tmp_path).key(), collect([drawn()], tmp_path).key()]
    assert found[0] == found[1]
    for change in ({"labels": ("negative", "surprise", "positive")}, {"people": 3}):
        assert collect([drawn(**change)], tmp_path).key() != found[0]


def test_a_data_sets_usual_labels_are_named():
    data = Data(name="casme2", root="x", table="", labels="")
    assert label_set(data) == "casme2-5"
    assert named([data, Data(name="manifest", root="x", table="", labels="")]) == (
        "casme2 (casme2-5)",
        "manifest (labels as they stand)",
    )
