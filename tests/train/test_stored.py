import pickle
from dataclasses import replace

import numpy as np
import pytest

from train.stored import store


def contents(cache):
    return {path.relative_to(cache): path.read_bytes() for path in cache.rglob("*") if path.is_file()}


def test_a_clip_is_stored_with_its_times_its_crops_and_its_case(drawn, tmp_path):
    dataset = drawn(people=2, per_person=2)
    clips = store(dataset, tmp_path)
    assert [clip.case.id for clip in clips] == ["toy/0-0", "toy/0-1", "toy/1-0", "toy/1-1"]
    assert {clip.case.subject for clip in clips} == {"toy/p0", "toy/p1"}
    for clip in clips:
        frames = dataset.frames(clip.sample)
        assert clip.times() == pytest.approx([frame.t for frame in frames])
        assert np.array_equal(clip.crops(), [frame.image for frame in frames])
        assert clip.event() == range(2, 11)
        served = clip.served()
        assert [crop.t for crop in served] == clip.times().tolist()
        assert np.array_equal(served[3].image, frames[3].image)
        assert served[0].matrix.tolist() == np.eye(2, 3).tolist()


def test_a_second_call_films_nothing_whatever_the_labels_and_moments(drawn, tmp_path, monkeypatch):
    store(drawn(), tmp_path)
    before = contents(tmp_path)
    again = drawn()
    samples = again.samples()
    again.samples = lambda: [replace(sample, label="positive", onset_s=0.06) for sample in samples]
    clips = store(again, tmp_path)
    assert again.filmed == []
    assert contents(tmp_path) == before
    assert clips[0].event() == range(3, 11)


def test_a_killed_run_goes_on_with_the_clips_that_are_missing(drawn, tmp_path):
    whole = drawn(people=2)
    film = whole.frames

    def killed(sample):
        if sample.id == "1-1":
            raise KeyboardInterrupt
        return film(sample)

    whole.frames = killed
    with pytest.raises(KeyboardInterrupt):
        store(whole, tmp_path)
    again = drawn(people=2)
    store(again, tmp_path)
    assert again.filmed == ["1-1", "1-2"]


def test_a_clip_can_be_sent_without_its_pictures(drawn, tmp_path):
    (clip, *_) = store(drawn(), tmp_path)
    sent = pickle.dumps(clip)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent).crops(), clip.crops())
    assert clip.path.is_absolute()
