"""Which clips the two kinds of sources give, and to whom."""

import dataclasses
import logging

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT, convert, read_toml
from train.config.clips import SyntheticSettings
from train.config.recorded import RecordedSettings
from train.sources import synthetic
from train.sources.recorded import RecordedSource
from train.sources.synthetic import SyntheticSource

replace = msgspec.structs.replace


def settings(name, kind):
    path = ROOT / f"configs/data/{name}.toml"
    return convert(read_toml(path), kind, path)


@pytest.fixture
def recorded(collected, drawn, tmp_path, gathered):
    """Four people, of whom one is tested in each fold; the others are seen through two cameras."""
    rates = {"train_hz": (0.0, 25.0), "test_hz": (0.0,)}
    collection = collected(drawn(people=4), **rates)
    gathered(collection)

    def make(calibration):
        given = settings("casme2-5", RecordedSettings)
        return RecordedSource(
            replace(given, rates=replace(given.rates, **rates), calibration=calibration), tmp_path, workers=1
        )

    return make


def people(clips):
    return {clip.case.subject for clip in clips}


def test_the_temperature_is_set_on_what_every_camera_sees_of_people_to_train_on(recorded):
    source = recorded(0.4)
    for fold in source.folds():
        split = source.split(fold)
        assert [len(take) for take in (*split.train, split.calibration, *split.test)] == [6, 6, 6, 3]
        sides = [people(split.train[0]), people(split.calibration), people(split.test[0])]
        assert set.union(*sides) == {f"toy/p{number}" for number in range(4)}
        assert sum(map(len, sides)) == 4
        counts = [len(clip.times()) for clip in split.calibration]
        assert min(counts) < max(counts) == 14


def test_where_nobody_is_to_calibrate_all_others_are_trained_on(recorded):
    split = recorded(0.0).split(recorded(0.0).folds()[0])
    assert [len(take) for take in (*split.train, split.calibration)] == [9, 9, 0]


def test_synthetic_clips_that_lost_the_face_during_the_event_are_left_out(drawn, monkeypatch, caplog, tmp_path):
    dataset = drawn(people=2, per_person=1)
    film = dataset.frames
    dataset.frames = lambda sample: film(sample)[:5] if sample.id == "1-0" else film(sample)
    monkeypatch.setattr(synthetic, "Synthetic", lambda clips: dataset)
    with caplog.at_level(logging.WARNING):
        (whole,) = SyntheticSource(settings("synthetic", SyntheticSettings), tmp_path).clips
    assert whole.case.id == "toy/0-0"
    assert whole.cut().times == pytest.approx(np.arange(2, 11) / 50)
    assert "1 of 2 clips are left out" in caplog.text


@dataclasses.dataclass
class Cast:
    """The people of synthetic clips that are not made here."""

    held_out: tuple[str, ...] = ("p0", "p3")
    calibration: tuple[str, ...] = ("p1",)


def test_no_synthetic_person_is_on_two_sides_and_none_is_lost(drawn, collected, tmp_path, monkeypatch):
    clips = list(collected(drawn("synthetic", people=6)).at[0.0].values())
    source = SyntheticSource(settings("synthetic", SyntheticSettings), tmp_path)
    vars(source).update(clips=tuple(clips), _people=Cast())
    split = source.split(source.whole())
    assert people(split.test[0]) == {"synthetic/p0", "synthetic/p3"}
    assert people(split.calibration) == {"synthetic/p1"}
    assert people(split.train[0]) == {"synthetic/p2", "synthetic/p4", "synthetic/p5"}
    assert len(split.train[0]) + len(split.calibration) + len(split.test[0]) == len(clips)
