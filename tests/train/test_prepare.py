import cv2
import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.labels import FERPLUS
from realtime.records import Frame
from realtime.source import open_source
from realtime.track import Tracker
from train import prepare
from train.datasets.sample import Sample

SIZE = 240


class Killed(BaseException):
    pass


class Shots:
    """A data set of three clips of five frames, which counts what it is asked for, and may be killed at it."""

    name, labels = "shots", ("negative",)

    def __init__(self, kill_at=None):
        self.kill_at = kill_at
        self.filmed = []

    def samples(self):
        return [Sample(f"clip.{number}", "p", "negative", 0.1, 0.2, 0.3) for number in range(3)]

    def frames(self, sample):
        if sample.id == self.kill_at:
            raise Killed
        self.filmed.append(sample.id)
        level = 40 * (1 + int(sample.id[-1]))
        return [Frame(np.full((SIZE, SIZE, 3), level + i, np.uint8), i / 10, i, 0, 0.0) for i in range(5)]


class Landmarker:
    """Finds one face, always in the same place, but none in dark pictures."""

    made = looked = restarts = 0

    def __init__(self, points):
        self.points = points

    def count(self, image):
        return int(image.max() > 30)

    def find(self, image, faces):
        type(self).looked += 1
        return [self.points][: self.count(image)]

    def restart(self):
        type(self).restarts += 1

    def close(self):
        pass


@pytest.fixture
def found(monkeypatch, drawn_face):
    """The landmarker's class, in place of mediapipe's."""

    class Counting(Landmarker):
        def __init__(self, *_, **__):
            super().__init__(drawn_face(SIZE / 2, SIZE / 3, 80.0))

    monkeypatch.setattr("train.prepare.MediaPipe", Counting)
    return Counting


def contents(cache):
    return {path.relative_to(cache): path.read_bytes() for path in cache.rglob("*") if path.is_file()}


def test_clips_come_with_their_times_and_crops(tmp_path, found):
    clips = prepare.clip_crops(Shots(), "key", tmp_path)
    size = config.load().align.size_px
    assert [clip.sample.id for clip in clips] == ["clip.0", "clip.1", "clip.2"]
    for number, clip in enumerate(clips):
        assert clip.times == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
        assert [crop.shape for crop in clip.crops] == [(size, size, 3)] * 5
        assert [int(crop[size // 2, size // 2, 0]) for crop in clip.crops] == [40 * (number + 1) + i for i in range(5)]
    assert found.restarts == 3  # each clip for itself


def test_a_second_call_computes_nothing(tmp_path, found):
    first = prepare.clip_crops(Shots(), "key", tmp_path)
    before, looked = contents(tmp_path), found.looked
    dataset = Shots()
    second = prepare.clip_crops(dataset, "key", tmp_path)
    assert (dataset.filmed, found.looked) == ([], looked)
    assert contents(tmp_path) == before
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.times, other.times)
        assert np.array_equal(one.crops, other.crops)


def test_a_killed_run_goes_on_where_it_was(tmp_path, found):
    with pytest.raises(Killed):
        prepare.clip_crops(Shots(kill_at="clip.2"), "key", tmp_path)
    dataset = Shots()
    assert len(prepare.clip_crops(dataset, "key", tmp_path)) == 3
    assert dataset.filmed == ["clip.2"]


def test_a_run_killed_while_it_writes_leaves_no_half_clip(tmp_path, found, monkeypatch):
    save, written = np.save, []

    def killed(file, array):
        written.append(file)
        if len(written) == 2:  # after the times of the first clip, in the middle of its crops
            file.write(b"half")
            raise Killed
        save(file, array)

    monkeypatch.setattr("train.prepare.np.save", killed)
    with pytest.raises(Killed):
        prepare.clip_crops(Shots(), "key", tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("train.prepare.MediaPipe", found)
    dataset = Shots()
    assert [len(clip.crops) for clip in prepare.clip_crops(dataset, "key", tmp_path)] == [5, 5, 5]
    assert dataset.filmed == ["clip.0", "clip.1", "clip.2"]


def test_another_key_or_another_stage_has_a_cache_of_its_own(tmp_path, found, monkeypatch):
    prepare.clip_crops(Shots(), "key", tmp_path)
    prepare.clip_crops(Shots(), "another", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    for section, key, value in (("align", "cutoff_hz", 3.0), ("track", "gate", 0.5)):
        whole = config.load()
        changed = msgspec.structs.replace(getattr(whole, section), **{key: value})
        stages = msgspec.structs.replace(whole, **{section: changed})
        monkeypatch.setattr("train.prepare.realtime_config.load", lambda stages=stages: stages)
        dataset = Shots()
        prepare.clip_crops(dataset, "key", tmp_path)
        assert len(dataset.filmed) == 3
        monkeypatch.undo()
        monkeypatch.setattr("train.prepare.MediaPipe", found)
    assert len(list(tmp_path.iterdir())) == 4


def test_what_shapes_no_crop_keeps_the_cache(tmp_path, found, monkeypatch):
    prepare.clip_crops(Shots(), "key", tmp_path)
    stages = config.load(overrides=["apex.threshold=9", "publish.state_port=0"])
    monkeypatch.setattr("train.prepare.realtime_config.load", lambda: stages)
    dataset = Shots()
    prepare.clip_crops(dataset, "key", tmp_path)
    assert dataset.filmed == []


def test_frames_without_a_face_are_left_out_and_a_clip_without_any_is_empty(drawn_face):
    landmarker = Landmarker(drawn_face(SIZE / 2, SIZE / 3, 80.0))
    bright, dark = np.full((SIZE, SIZE, 3), 99, np.uint8), np.zeros((SIZE, SIZE, 3), np.uint8)

    def frames(*images):
        return [Frame(image, i / 10, i, 0, 0.0) for i, image in enumerate(images)]

    times, crops = prepare.serve(frames(bright, bright, dark, dark, bright), config.load(), landmarker)
    assert times.tolist()[:2] == [0.0, 0.1]
    assert len(times) == len(crops) < 5
    times, crops = prepare.serve(frames(dark, dark), config.load(), landmarker)
    assert (len(times), crops) == (0, [])


def test_a_clip_without_a_face_is_cached_as_well(tmp_path, found, monkeypatch):
    dark = [Frame(np.zeros((SIZE, SIZE, 3), np.uint8), 0.0, 0, 0, 0.0)]
    monkeypatch.setattr(Shots, "frames", lambda self, sample: self.filmed.append(sample.id) or dark)
    for filmed in (3, 0):
        dataset = Shots()
        assert [len(clip.crops) for clip in prepare.clip_crops(dataset, "key", tmp_path)] == [0, 0, 0]
        assert len(dataset.filmed) == filmed


@pytest.fixture
def ferplus(tmp_path):
    """Four pictures of the training split; in the last one no face is found."""
    pictures = [np.full((48, 48), level, np.uint8) for level in (60, 120, 180, 10)]
    coded = [cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].ravel() for picture in pictures]
    names = (*FERPLUS, "unknown", "NF")
    votes = np.zeros((4, len(names)), np.uint8)
    votes[:, 0] = 10
    np.savez(
        tmp_path / "ferplus.npz",
        webp=np.concatenate(coded),
        offsets=np.cumsum([0, *map(len, coded)]).astype(np.int64),
        votes=votes,
        vote_names=np.array(names),
        usage=np.zeros(4, np.uint8),
        usage_names=np.array(["train", "valid", "test"]),
    )
    return tmp_path / "ferplus.npz"


def test_stills_are_cut_once_and_grey(ferplus, tmp_path, found):
    crops, data = prepare.ferplus_crops(ferplus, "train", 64, 32, tmp_path / "cache")
    assert (crops.shape, crops.dtype, len(data)) == ((4, 32, 32), np.uint8, 4)
    assert [int(crop[16, 16]) for crop in crops] == pytest.approx([60, 120, 180, 10], abs=2)
    looked = found.looked
    again, _ = prepare.ferplus_crops(ferplus, "train", 64, 32, tmp_path / "cache")
    assert np.array_equal(again, crops)
    assert found.looked == looked
    prepare.ferplus_crops(ferplus, "train", 64, 48, tmp_path / "cache")
    assert found.looked > looked
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_still_without_a_face_is_its_own_crop(drawn_face):
    face = np.tile(np.linspace(0, 24, 48).astype(np.uint8)[:, None, None], (1, 48, 3))
    crop = prepare.still_crop(face, Landmarker(drawn_face(SIZE / 2, SIZE / 3, 80.0)), 48)
    assert crop.shape == (48, 48, 3)
    assert np.abs(crop.astype(int) - face).max() <= 1  # but for the enlarging and shrinking


def test_training_sees_the_crops_that_the_live_process_makes():
    """The bundled stream through both, up to the pixels."""
    from realtime import truth
    from realtime.align import Aligner
    from realtime.track import MediaPipe

    stages = config.load()
    source = open_source(str(truth.VIDEO), stages.source, fast=True)
    frames = [frame for frame, _ in zip(source.frames(), range(20), strict=False)]
    source.close()
    landmarker = MediaPipe(stages.track)
    times, crops = prepare.serve(frames, stages, landmarker)
    landmarker.close()
    tracker, aligner = Tracker(stages.track), Aligner(stages.align)
    live = [crop for frame in frames for face in tracker.push(frame) for crop in aligner.push((frame, face))]
    tracker.close()
    assert times == pytest.approx([crop.t for crop in live])
    assert np.array_equal(crops, [crop.image for crop in live])


def test_golden_pictures_lie_a_tenth_of_a_second_apart():
    crops = prepare.sample_crops(3)
    assert len(crops) == 3
    assert all(crop.shape == (config.load().align.size_px,) * 2 + (3,) for crop in crops)
    assert not np.array_equal(crops[0], crops[1])
