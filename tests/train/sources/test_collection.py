import logging

import numpy as np
import pytest

from realtime.errors import DataError
from train.clips.rates import SlowedDataset
from train.config.recorded import Data
from train.sources.collection import label_set, named


def test_sets_make_one_collection_under_unique_names(drawn, collected):
    found = collected(drawn("a", people=2), drawn("b", people=2))
    assert len(set(found.ids())) == len(found.cases) == 12
    assert {case.subject for case in found.cases} == {"a/p0", "a/p1", "b/p0", "b/p1"}
    assert [clip.case.id for clip in found.of(["b/0-1", "a/1-2"], 0.0)] == ["b/0-1", "a/1-2"]
    assert [clip.case for clip in found.of(found.ids(), 0.0)] == list(found.cases)


def test_each_case_has_its_clip_through_every_camera_that_trains_or_tests(drawn, collected):
    dataset = drawn(people=2)
    found = collected(dataset, train_hz=(0.0, 25.0, 0.0), test_hz=(20.0, 0.0))
    assert set(found.at) == {0.0, 20.0, 25.0}
    own, slow, slowest = found.takes(found.ids(), (0.0, 25.0, 20.0))
    for sample, *clips in zip(dataset.samples(), own, slow, slowest, strict=True):
        assert {clip.case.id for clip in clips} == {f"toy/{sample.id}"}
        assert {clip.sample for clip in clips} == {sample}
        for clip, camera in zip(
            clips, (dataset, SlowedDataset(dataset, 25.0, 1), SlowedDataset(dataset, 20.0, 1)), strict=True
        ):
            frames = camera.frames(sample)
            assert clip.times().tolist() == [frame.t for frame in frames]
            assert np.array_equal(clip.crops(), [frame.image for frame in frames])
    assert [found.of([id], 25.0)[0].path for id in found.ids()] == [clip.path for clip in slow]


def test_clips_that_lost_the_face_are_left_out_and_named(drawn, collected, caplog):
    dataset = drawn(people=2)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:5] if sample.id == "0-1" else film(sample)
    with caplog.at_level(logging.WARNING):
        found = collected(dataset)
    assert found.left_out == ("toy/0-1",)
    assert len(found.cases) == 5
    assert "1 of 6 clips are left out, too little shows their event: toy/0-1 (frames at its own rate: 3)" in caplog.text


def test_a_clip_too_short_for_the_slowest_camera_is_left_out_at_every_rate(drawn, collected, caplog):
    dataset = drawn(people=2)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:8] if sample.id == "0-1" else film(sample)
    assert "toy/0-1" in collected(dataset, test_hz=(0.0, 25.0)).ids()  # two of its exposures are enough
    with caplog.at_level(logging.WARNING):
        found = collected(dataset, test_hz=(0.0, 25.0, 15.0))
    assert found.left_out == ("toy/0-1",)
    assert "toy/0-1 (frames at 15 Hz: 1)" in caplog.text
    assert [set(clips) for clips in found.at.values()] == [set(found.ids())] * 3


def test_no_face_at_all_and_sets_that_disagree_are_refused(drawn, collected):
    with pytest.raises(DataError, match="no face in any of 3 clips"):
        collected(drawn("empty", people=1, frames=3))
    with pytest.raises(DataError) as refusal:
        collected(drawn("a"), drawn("a"), drawn("b", labels=("x", "y")))
    assert refusal.value.problems == (
        "a: there 2 times",
        "b has the labels x, y, a negative, positive, surprise",
    )
    with pytest.raises(DataError, match="0 data sets"):
        collected()


def test_the_key_changes_with_moments_labels_and_rates(drawn, collected):
    first = collected(drawn()).key()
    assert collected(drawn()).key() == first
    for change in ({"labels": ("negative", "surprise", "positive")}, {"people": 3}):
        assert collected(drawn(**change)).key() != first
    assert collected(drawn(), train_hz=(25.0,)).key() != first


def test_a_data_sets_usual_labels_are_named():
    data = Data(name="casme2", root="x", table="", labels="")
    assert label_set(data) == "casme2-5"
    assert named([data, Data(name="manifest", root="x", table="", labels="")]) == (
        "casme2 (casme2-5)",
        "manifest (labels as they stand)",
    )
