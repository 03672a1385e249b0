import pickle
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.demo import truth
from realtime.engine.package.manifest import MODEL
from realtime.errors import DataError
from realtime.recognition import heads
from train.clips import prepare, stored
from train.clips.detector_trace import trace
from train.clips.stored import store
from train.datasets.annotation.recorded import RecordedDataset
from train.datasets.annotation.sample import Recording, Sample
from train.storage.digest import digest

replaced = msgspec.structs.replace


def contents(cache):
    return {path.relative_to(cache): path.read_bytes() for path in cache.rglob("*") if path.is_file()}


def with_stages(monkeypatch, *overrides):
    stages = config.load(overrides=overrides)
    monkeypatch.setattr(stored, "realtime_config", SimpleNamespace(load=lambda: stages))


@pytest.fixture
def stream():
    """Three clips of the bundled stream."""
    parts = [Recording(truth.VIDEO, 60.0, first, first + 9) for first in (0, 5, 9)]
    clips = (Sample(f"{n}", "p", "a", 0.1, 0.2, 0.3, recording=part) for n, part in enumerate(parts))
    return RecordedDataset("stream", ("a",), tuple(clips))


def test_the_detectors_answers_keep_their_name_where_the_network_names_the_apex():
    settings = config.load().spotter
    as_it_was = {name: getattr(settings, name) for name in settings.__struct_fields__ if name != "apex"}
    assert digest(stored._shaping(settings)) == digest(as_it_was)
    assert digest(stored._shaping(replaced(settings, apex="formula"))) != digest(as_it_was)
    assert digest(stored._shaping(replaced(settings, open=0.5))) != digest(as_it_was)


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


def test_a_cut_clip_is_its_event_in_memory_under_the_names_of_its_case(drawn, tmp_path):
    (clip, *_) = store(drawn(people=1), tmp_path)
    cut = clip.cut()
    assert (cut.sample.id, cut.sample.subject) == ("toy/0-0", "toy/p0")
    assert cut.times.tolist() == clip.times()[2:11].tolist()
    assert np.array_equal(cut.crops, clip.crops()[2:11])
    assert not any(isinstance(part, np.memmap) for part in (cut.crops[0], cut.crops[0].base))  # a file stays open else


def test_it_may_be_cut_with_what_lies_around_its_event(drawn, tmp_path):
    (clip, *_) = store(drawn(people=1), tmp_path)
    wide = clip.cut(0.03)
    assert wide.times.tolist() == clip.times()[1:12].tolist()
    assert np.array_equal(wide.crops, clip.crops()[1:12])
    assert wide.sample == clip.cut().sample
    assert len(clip.cut(9.0).times) == len(clip.times())


def test_what_the_live_detector_says_is_stored_beside_it(drawn, tmp_path):
    stages = config.load()
    spotter = heads.spotter(stages)
    for clip in store(drawn(people=1), tmp_path):
        assert clip.trace() == trace(clip.served(), stages.spotter, spotter)
        assert len(clip.trace().scores) == len(clip.times())


def test_a_second_call_films_nothing_whatever_the_labels_and_moments(drawn, tmp_path):
    store(drawn(), tmp_path)
    before = contents(tmp_path)
    again = drawn()
    samples = again.samples()
    again.samples = lambda: [replace(sample, label="positive", onset_s=0.06) for sample in samples]
    clips = store(again, tmp_path)
    assert again.filmed == []
    assert contents(tmp_path) == before
    assert clips[0].event() == range(3, 11)


@pytest.mark.parametrize("change", ["track.gate=0.5", "align.cutoff_hz=3.0"])
def test_another_stage_before_the_crops_makes_all_anew(drawn, tmp_path, monkeypatch, change):
    store(drawn(people=1), tmp_path)
    again = drawn(people=1)
    with_stages(monkeypatch, change)
    store(again, tmp_path)
    assert len(again.filmed) == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_other_models_that_find_the_faces_make_all_anew(drawn, tmp_path, monkeypatch):
    store(drawn(people=1), tmp_path)
    again = drawn(people=1)
    monkeypatch.setattr(stored, "landmarker_version", lambda stages: "another")
    store(again, tmp_path)
    assert len(again.filmed) == 3


def another_spotter(monkeypatch):
    shipped = heads.spotter(config.load())
    manifest = msgspec.structs.replace(shipped.manifest, files=shipped.manifest.files | {MODEL: "0" * 64})
    monkeypatch.setattr(heads, "spotter", lambda stages: SimpleNamespace(manifest=manifest, run=shipped.run))


@pytest.mark.parametrize("change", [another_spotter, lambda monkeypatch: with_stages(monkeypatch, "spotter.open=0.9")])
def test_another_detector_is_asked_anew_and_nothing_is_filmed(drawn, tmp_path, monkeypatch, change):
    store(drawn(people=1), tmp_path)
    before = contents(tmp_path)
    again = drawn(people=1)
    change(monkeypatch)
    clips = store(again, tmp_path)
    assert again.filmed == []
    added = contents(tmp_path).keys() - before.keys()
    assert {path.name for path in added} == {clip.answers.name for clip in clips}
    assert contents(tmp_path).items() >= before.items()


def test_what_shapes_neither_keeps_the_cache(drawn, tmp_path, monkeypatch):
    store(drawn(people=1), tmp_path)
    before = contents(tmp_path)
    with_stages(monkeypatch, "publish.state_port=0")
    store(drawn(people=1), tmp_path)
    assert contents(tmp_path) == before


def test_other_frames_are_other_clips_and_the_same_ones_are_not(drawn, tmp_path):
    store(drawn(people=1), tmp_path)
    longer, more = drawn(people=1, frames=15), drawn(people=2)
    store(longer, tmp_path)
    store(more, tmp_path)
    assert longer.filmed == ["0-0", "0-1", "0-2"]
    assert more.filmed == ["1-0", "1-1", "1-2"]
    assert len(list(tmp_path.iterdir())) == 1


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


@pytest.mark.promise(
    "killed while clips are written",
    "no half clip is left",
    "3 writes of 3",
)
@pytest.mark.parametrize("write", [1, 2, 3], ids=["faces", "crops", "answers"])
def test_a_run_killed_while_it_writes_leaves_no_half_clip(drawn, tmp_path, monkeypatch, write):
    store(drawn(people=1), tmp_path / "whole")
    begun, writing = [], stored.writing

    def killed(target):
        begun.append(target)
        if len(begun) == write:
            raise KeyboardInterrupt
        return writing(target)

    with monkeypatch.context() as patch:
        for module in (stored, prepare):
            patch.setattr(module, "writing", killed)
        with pytest.raises(KeyboardInterrupt):
            store(drawn(people=1), tmp_path / "killed")
    store(drawn(people=1), tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_a_clip_without_a_face_is_stored_as_well(drawn, tmp_path):
    for filmed in (3, 0):
        dataset = drawn(people=1, frames=0)
        clips = store(dataset, tmp_path)
        assert [clip.crops().shape for clip in clips] == [(0, 128, 128, 3)] * 3
        assert [clip.trace().scores for clip in clips] == [()] * 3
        assert len(dataset.filmed) == filmed


def test_clips_that_cannot_be_read_are_listed_when_all_others_are_stored(drawn, tmp_path):
    broken = drawn(people=2)
    film = broken.frames

    def unreadable(sample):
        if sample.id in ("0-1", "1-0"):
            raise DataError(f"{sample.id}.png cannot be read as a picture; fetch it anew")
        return film(sample)

    broken.frames = unreadable
    with pytest.raises(DataError) as failure:
        store(broken, tmp_path)
    assert failure.value.problems == tuple(
        f"{id}: {id}.png cannot be read as a picture; fetch it anew" for id in ("0-1", "1-0")
    )
    mended = drawn(people=2)
    store(mended, tmp_path)
    assert mended.filmed == ["0-1", "1-0"]


def test_any_number_of_processes_stores_the_same_bits(stream, tmp_path):
    for count in (1, 2):
        clips = store(stream, tmp_path / str(count), count)
    assert [len(clip.times()) for clip in clips] == [10, 10, 10]
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_clip_is_stored_alike_whichever_came_before(stream, tmp_path):
    """The models follow a face from frame to frame, but not from clip to clip."""
    store(stream, tmp_path / "in order", 1)
    store(replace(stream, clips=stream.clips[::-1]), tmp_path / "reversed", 1)
    assert contents(tmp_path / "in order") == contents(tmp_path / "reversed")


def test_a_clip_can_be_sent_without_its_pictures(drawn, tmp_path):
    (clip, *_) = store(drawn(), tmp_path)
    sent = pickle.dumps(clip)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent).crops(), clip.crops())
    assert clip.path.is_absolute()
