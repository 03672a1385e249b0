from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from realtime.errors import DataError
from realtime.labels import FERPLUS, MEGC3
from train.config import Clips
from train.datasets.synthetic import MARGIN_PX, SIDE_PX, Synthetic, portrait

REAL = Path(__file__).resolve().parents[2] / "../shared/data/ferplus.npz"
NEUTRAL = {"neutral": 10}
ROWS = [NEUTRAL, NEUTRAL, {"happiness": 10}, NEUTRAL, {"neutral": 6, "sadness": 4}, NEUTRAL]
USABLE = 4


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A packed file of six noisy pictures, four of them neutral."""
    rng = np.random.default_rng(1)
    pictures = [cv2.GaussianBlur(rng.integers(0, 256, (48, 48), dtype=np.uint8), (0, 0), 2.0) for _ in ROWS]
    coded = [cv2.imencode(".webp", cv2.normalize(p, None, 0, 255, cv2.NORM_MINMAX))[1].ravel() for p in pictures]
    names = (*FERPLUS, "unknown", "NF")
    target = tmp_path_factory.mktemp("ferplus") / "ferplus.npz"
    np.savez(
        target,
        webp=np.concatenate(coded),
        offsets=np.cumsum([0, *map(len, coded)]).astype(np.int64),
        votes=np.array([[row.get(name, 0) for name in names] for row in ROWS], np.uint8),
        vote_names=np.array(names),
        usage=np.zeros(len(ROWS), np.uint8),
        usage_names=np.array(["train", "valid", "test"]),
    )
    return target


@pytest.fixture
def clips(path):
    return Clips(
        seed=1,
        ferplus=str(path),
        people=2,
        per_person=3,
        held_out=0.2,
        calibration=0.1,
        rate_hz=30.0,
        seconds=0.9,
    )


@pytest.fixture
def found(monkeypatch, drawn_face):
    """A face is found in the middle of every picture, without mediapipe."""
    middle = MARGIN_PX + SIDE_PX / 2

    class Landmarker:
        def __init__(self, *_, **__):
            pass

        def restart(self):
            pass

        def find(self, image, faces):
            return [drawn_face(middle, middle - 20.0, 70.0)]

    monkeypatch.setattr("train.datasets.synthetic.MediaPipe", Landmarker)


def replace(clips, **changes):
    return msgspec.structs.replace(clips, **changes)


def test_every_person_shows_each_class_in_turn(clips, found):
    samples = Synthetic(clips).samples()
    assert [sample.label for sample in samples] == [*MEGC3, *MEGC3]
    assert len({sample.id for sample in samples}) == 6
    subjects = [sample.subject for sample in samples]
    assert subjects[:3] == [subjects[0]] * 3
    assert subjects[3:] == [subjects[3]] * 3
    assert subjects[0] != subjects[3]


def test_the_event_lies_inside_its_clip(clips, found):
    for sample in Synthetic(replace(clips, people=USABLE)).samples():
        assert 0.2 < sample.onset_s < sample.apex_s < sample.offset_s < clips.seconds


def test_only_neutral_faces_are_taken(clips, found):
    subjects = {sample.subject for sample in Synthetic(replace(clips, people=USABLE)).samples()}
    assert subjects == {"ferplus-0", "ferplus-1", "ferplus-3", "ferplus-5"}


def test_too_few_faces_are_an_error_that_says_how_many_there_are(clips, found):
    with pytest.raises(DataError, match=rf"only {USABLE} neutral faces.*asks for {USABLE + 1}"):
        Synthetic(replace(clips, people=USABLE + 1))


def test_frames_are_repeated_from_the_seed_alone_in_any_order(clips, found):
    first, again = Synthetic(clips), Synthetic(clips)
    one, other = first.samples()[1], first.samples()[4]
    first.frames(other)
    for before, after in zip(first.frames(one), again.frames(one), strict=True):
        assert before.t == after.t
        assert np.array_equal(before.image, after.image)
    assert first.samples() == again.samples()


def test_another_seed_makes_other_clips(clips, found):
    one, other = Synthetic(clips), Synthetic(replace(clips, seed=2))
    assert [sample.onset_s for sample in one.samples()] != [sample.onset_s for sample in other.samples()]
    frames = zip(one.frames(one.samples()[0]), other.frames(other.samples()[0]), strict=True)
    assert not any(np.array_equal(a.image, b.image) for a, b in frames)


def test_frames_last_as_long_as_the_clip_at_its_rate(clips, found):
    dataset = Synthetic(clips)
    frames = dataset.frames(dataset.samples()[0])
    assert [frame.t for frame in frames] == pytest.approx(np.arange(27) / 30.0)
    assert all(frame.image.shape == (SIDE_PX + 2 * MARGIN_PX,) * 2 + (3,) for frame in frames)


def test_a_portrait_is_the_face_enlarged_with_its_border_around_it():
    face = np.random.default_rng(3).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    image = portrait(face)
    assert image.shape == (288, 288, 3)
    inside = image[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    assert np.array_equal(inside, cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC))
    assert (image[0, :MARGIN_PX] == inside[0, 0]).all()


@pytest.mark.skipif(not REAL.is_file(), reason="the packed FER+ file is not there (shared/data/ferplus.npz)")
def test_real_faces_are_found_and_move_most_during_the_event(clips):
    from realtime import config
    from realtime.track import MediaPipe
    from train.prepare import serve

    dataset = Synthetic(replace(clips, ferplus=str(REAL), people=2))
    landmarker, stages = MediaPipe(config.load().track), config.load()
    moved, still = [], []
    for sample in dataset.samples():
        times, crops = serve(dataset.frames(sample), stages, landmarker)
        assert len(times) == 27
        rest = np.mean([crop for t, crop in zip(times, crops, strict=True) if t < sample.onset_s], axis=0)
        apart = np.array([np.abs(cv2.GaussianBlur(crop - rest, (0, 0), 2.0)).mean() for crop in crops])
        moved.append(apart[(times > sample.onset_s) & (times < sample.offset_s)].max())
        still.append(apart[times < sample.onset_s].mean())
    assert np.mean(moved) > 1.3 * np.mean(still)  # the strongest of them are weak, and the head sways
    landmarker.close()
