import numpy as np
import pytest
from packed_faces import packed

from realtime import config
from realtime.capture.source import open_source
from realtime.engine.landmarker import sight
from realtime.faces import align
from realtime.faces.track import Tracker
from realtime.records import Frame
from train.clips import prepare
from train.storage.digest import digest

SIZE = 240


class Landmarker:
    """Finds one face, always in the same place, but none in dark pictures."""

    looked = 0

    def __init__(self, points):
        self.points = points

    def count(self, image):
        return int(image.max() > 30)

    def find(self, image, faces):
        type(self).looked += 1
        return [self.points][: self.count(image)]

    def restart(self):
        pass

    def close(self):
        pass


@pytest.fixture
def found(one_process, monkeypatch, drawn_face):
    """The landmarker's class, in place of mediapipe's, in this process alone."""

    class Counting(Landmarker):
        def __init__(self, *_, **__):
            super().__init__(drawn_face(SIZE / 2, SIZE / 3, 80.0))

    monkeypatch.setattr(prepare, "open_landmarker", Counting)
    return Counting


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


@pytest.fixture
def ferplus(tmp_path):
    """Four pictures of the training split; in the last one no face is found."""
    pictures = [np.full((48, 48), level, np.uint8) for level in (60, 120, 180, 10)]
    return packed(tmp_path / "ferplus.npz", pictures, [{"neutral": 10}] * 4, ["train"] * 4)


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


def test_stills_are_the_same_from_any_number_of_processes(ferplus, tmp_path):
    crops = [prepare.ferplus_crops(ferplus, "train", 64, 32, tmp_path / str(count), count)[0] for count in (1, 2)]
    assert np.array_equal(*crops)


def test_the_cache_of_stills_keeps_its_name(ferplus, tmp_path, found):
    """Unlike clips, stills have been cut by many: whoever changes this makes them all cut them anew."""
    prepare.ferplus_crops(ferplus, "train", 64, 32, tmp_path / "cache")
    size = ferplus.stat().st_size
    wanted = digest("ferplus-crops", 1, size, "train", 64, 32, *sight(config.load()), align.TEMPLATE.tolist())
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"ferplus-train-{wanted}.npy"]


def test_a_still_without_a_face_is_its_own_crop(drawn_face):
    face = np.tile(np.linspace(0, 24, 48).astype(np.uint8)[:, None, None], (1, 48, 3))
    crop = prepare.still_crop(face, Landmarker(drawn_face(SIZE / 2, SIZE / 3, 80.0)), 48)
    assert crop.shape == (48, 48, 3)
    assert np.abs(crop.astype(int) - face).max() <= 1  # but for the enlarging and shrinking


def test_training_sees_the_crops_that_the_live_process_makes():
    """The bundled stream through both, up to the pixels."""
    from realtime.demo import truth
    from realtime.engine.landmarker import open_landmarker
    from realtime.faces.align import Aligner

    stages = config.load()
    source = open_source(str(truth.VIDEO), stages.source, fast=True)
    frames = [frame for frame, _ in zip(source.frames(), range(20), strict=False)]
    source.close()
    landmarker = open_landmarker(stages)
    times, crops = prepare.serve(frames, stages, landmarker)
    landmarker.close()
    tracker, aligner = Tracker(stages.track, open_landmarker(stages)), Aligner(stages.align)
    live = [crop for frame in frames for face in tracker.push(frame) for crop in aligner.push((frame, face))]
    tracker.close()
    assert times == pytest.approx([crop.t for crop in live])
    assert np.array_equal(crops, [crop.image for crop in live])


def test_golden_pictures_lie_a_tenth_of_a_second_apart():
    crops = prepare.sample_crops(3)
    assert len(crops) == 3
    assert all(crop.shape == (config.load().align.size_px,) * 2 + (3,) for crop in crops)
    assert not np.array_equal(crops[0], crops[1])
