import pickle
from collections import Counter
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from packed_faces import noise, packed

from realtime.config import ROOT, convert, read_toml
from realtime.errors import DataError
from realtime.labels import MEGC3
from train.clips.clip import event as inside
from train.config.clips import SyntheticSettings
from train.datasets.annotation.action_units import parse
from train.datasets.folds import hold_out
from train.synthesis import portraits
from train.synthesis.script.prototypes import NONE
from train.synthesis.synthetic import Synthetic
from train.synthesis.videos import truth

REAL = Path(__file__).resolve().parents[3] / "../shared/data/ferplus.npz"
SHIPPED = ROOT / "configs/data/synthetic.toml"
NEUTRAL = {"neutral": 10}
ROWS = [NEUTRAL, NEUTRAL, {"happiness": 10}, NEUTRAL, {"neutral": 6, "sadness": 4}, NEUTRAL]
USABLE = 4


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A packed file of six noisy pictures, four of them neutral."""
    return packed(tmp_path_factory.mktemp("ferplus") / "ferplus.npz", noise(len(ROWS)), ROWS, ["train"] * len(ROWS))


@pytest.fixture
def clips(path, facekit_path):
    shipped = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips
    film = replace(shipped.film, rates_hz=(30.0,))
    return replace(
        shipped,
        head=facekit_path,
        ferplus=str(path),
        people=2,
        per_person=3,
        none=0.0,
        film=film,
        framing="crop",
        size_px=64,
    )


@pytest.fixture
def found(monkeypatch, finds):
    """A face is found in the middle of every picture, without mediapipe."""
    monkeypatch.setattr(portraits, "open_landmarker", lambda *_, **__: finds())


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


def test_the_event_lies_inside_its_clip_and_its_units_have_its_class(clips, found, class_of):
    for sample in Synthetic(replace(clips, people=USABLE)).samples():
        assert 0.2 < sample.onset_s < sample.apex_s < sample.offset_s < clips.seconds
        assert class_of(sample.action_units) == sample.label
        assert {unit.strength for unit in sample.action_units} <= {"A", "B", "C"}


def test_a_share_of_the_clips_shows_no_expression(clips, found):
    dataset = Synthetic(replace(clips, people=USABLE, per_person=6, none=0.25))
    samples = dataset.samples()
    assert dataset.labels == (*MEGC3, NONE)
    counts = Counter(sample.label for sample in samples)
    assert counts == {NONE: 6, **dict.fromkeys(MEGC3, 6)}
    nothing = [sample for sample in samples if sample.label == NONE]
    micro = [sample for sample in nothing if any(h.role == "micro" for h in dataset.take(sample).scene.happenings)]
    assert len(micro) == 3  # movements of no class; the others are distractors or rest
    times = np.arange(27) / 30.0
    assert all(s.onset_s <= s.apex_s <= s.offset_s and len(times[inside(times, s)]) >= 2 for s in samples)


def test_only_neutral_faces_are_taken(clips, found):
    subjects = {sample.subject for sample in Synthetic(replace(clips, people=USABLE)).samples()}
    assert subjects == {"ferplus-0", "ferplus-1", "ferplus-3", "ferplus-5"}


def test_too_few_faces_are_an_error_that_says_how_many_there_are(clips, found):
    with pytest.raises(DataError, match=rf"only {USABLE} neutral faces.*asks for {USABLE + 1}"):
        Synthetic(replace(clips, people=USABLE + 1))


def test_without_the_head_nothing_is_made(clips, found, tmp_path):
    with pytest.raises(DataError, match="no 3-D head"):
        Synthetic(replace(clips, head=str(tmp_path / "none.npz")))


@pytest.mark.parametrize("rendered", [0.0, 0.5])
def test_frames_are_repeated_from_the_seed_alone_in_any_order_and_process(clips, found, rendered):
    first = Synthetic(replace(clips, rendered=rendered, seconds=0.6))
    again = pickle.loads(pickle.dumps(first))
    for one in first.samples()[:2]:
        first.frames(first.samples()[4])
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
    assert all(frame.image.shape == (64, 64, 3) for frame in frames)


def test_the_exact_displacement_grows_from_the_onset_to_the_apex(clips, found):
    dataset = Synthetic(replace(clips, distractors=replace(clips.distractors, blink=0.0, gaze=0.0, sway_deg=0.0)))
    sample = dataset.samples()[1]
    take = dataset.take(sample)
    times = np.linspace(sample.onset_s, sample.apex_s, 4)
    most = [np.hypot(*np.moveaxis(dataset.flow(take, times[0], t), 2, 0)).max() for t in times]
    assert most[0] == 0.0
    assert most == sorted(most)
    assert most[-1] > 0.2


def test_a_video_has_many_events_and_the_people_of_the_clips(clips, found, class_of):
    dataset = Synthetic(replace(clips, people=USABLE))
    person = sorted(dataset.held_out)[0]
    take, again = (dataset.video(person, 0, 40.0, 30.0) for _ in range(2))
    assert take == again != dataset.video(person, 1, 40.0, 30.0)
    told = truth(take)
    assert told["person"] == person
    events = [event for event in told["events"] if event["role"] == "micro"]
    assert len(events) > 5
    for event in events:
        assert class_of(parse(event["units"])) == event["label"]
    assert next(dataset.film(take)).image.shape == (64, 64, 3)


def test_people_are_held_out_as_the_training_holds_them_out(clips, found):
    dataset = Synthetic(replace(clips, people=USABLE))
    assert dataset.held_out == hold_out(dataset.people, clips.held_out, clips.seed)
    assert 0 < len(dataset.held_out) < USABLE


def test_where_nobody_is_to_calibrate_all_who_are_not_held_out_train(clips, found):
    clips = replace(clips, people=USABLE)
    dataset = Synthetic(replace(clips, calibration=0.0))
    assert dataset.side("calibration") == []
    assert set(dataset.side("training")) == set(dataset.people) - dataset.held_out
    assert len(Synthetic(clips).side("training")) < len(dataset.side("training"))


@pytest.mark.skipif(not REAL.is_file(), reason="the packed FER+ file is not there (shared/data/ferplus.npz)")
def test_real_faces_are_found_and_move_most_during_the_event(clips):
    from realtime import config
    from realtime.engine.landmarker import open_landmarker
    from train.clips.prepare import serve

    still = replace(clips.distractors, blink=0.0, gaze=0.0, speech=0.0, turn=0.0)
    camera = {"framing": "camera", "size_px": 288, "distractors": still, "intensities": ("B", "C")}
    dataset = Synthetic(replace(clips, ferplus=str(REAL), people=2, **camera))
    landmarker, stages = open_landmarker(config.load()), config.load()
    moved, rested = [], []
    for sample in dataset.samples():
        times, crops = serve(dataset.frames(sample), stages, landmarker)
        assert len(times) == 27
        rest = np.mean([crop for t, crop in zip(times, crops, strict=True) if t < sample.onset_s], axis=0)
        apart = np.array([np.abs(cv2.GaussianBlur(crop - rest, (0, 0), 2.0)).mean() for crop in crops])
        moved.append(apart[(times > sample.onset_s) & (times < sample.offset_s)].max())
        rested.append(apart[times < sample.onset_s].mean())
    assert np.mean(moved) > 1.3 * np.mean(rested)  # the strongest of them are weak, and the head sways
    landmarker.close()
