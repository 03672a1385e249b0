import dataclasses
import pickle
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from train.clips.embeddings import open_encoder
from train.config.recorded import Rates
from train.datasets.folds import hold_out
from train.methods.apexnet.apex_frames import choose
from train.methods.apexnet.recorded import ApexnetFitPredict
from train.methods.cmn import recorded as cmn_recorded
from train.methods.cmn.recorded import CmnFitPredict

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
METHODS = ["cmn", "apexnet"]


@pytest.fixture
def collection(drawn, collected):
    return collected(drawn(), test_hz=(0.0, 25.0))


@pytest.fixture
def make(small, packages):
    """What predicts the folds of a method, on a collection."""

    def fit_predict(method, collection):
        config = small(f"{method}-smic-3", rates=Rates(train_hz=(0.0,), test_hz=(0.0, 25.0), seed=1))
        if method == "cmn":
            config = msgspec.structs.replace(config, encoder=str(packages / "encoder"), calibration=0.4)
            return CmnFitPredict(config, collection)
        apexes = {hz: choose(tuple(clips.values()), config.apex, config.quang) for hz, clips in collection.at.items()}
        return ApexnetFitPredict(config, collection, apexes)

    return fit_predict


@pytest.fixture
def annotated(monkeypatch):
    """smic's apexes are found by the formula, which these faces have no landmarks for."""
    monkeypatch.setattr(
        "train.methods.apexnet.apex_frames.by_formula", lambda clip, quang: clip.event()[len(clip.event()) // 2]
    )


def sides(collection):
    ids = collection.ids()
    return [id for id in ids if "/0-" not in id], [id for id in ids if "/0-" in id]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_can_be_sent_and_gives_the_same_bits_there(method, make, collection, annotated, tmp_path):
    train, test = sides(collection)
    here = make(method, collection)
    there = pickle.loads(pickle.dumps(here))
    found = []
    for number, each in enumerate((here, there)):
        torch.rand(number + 3)  # what was drawn before does not matter
        (tmp_path / str(number)).mkdir()
        found.append(each(train, test, 5, tmp_path / str(number)))
    assert found[0].shape == (2, 3, 3)
    assert found[0].sum(2) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][0], found[0][1])  # other pictures at the other rate
    (tmp_path / "other").mkdir()
    assert not np.array_equal(here(train, test, 6, tmp_path / "other"), found[0])


@pytest.mark.parametrize("method", METHODS)
def test_neither_labels_nor_company_of_a_test_clip_change_its_answer(method, make, collection, annotated, tmp_path):
    train, test = sides(collection)
    relabelled = dataclasses.replace(
        collection,
        at={
            hz: {
                id: dataclasses.replace(clip, sample=dataclasses.replace(clip.sample, label="unheard of"))
                if id in test
                else clip
                for id, clip in clips.items()
            }
            for hz, clips in collection.at.items()
        },
    )
    answers = []
    for name, given, asked in (("a", collection, test), ("b", relabelled, test[::-1][:2])):
        (tmp_path / name).mkdir()
        answers.append(make(method, given)(train, asked, 5, tmp_path / name))
    assert answers[1] == pytest.approx(answers[0][:, ::-1][:, :2], abs=1e-6)


def test_the_people_who_calibrate_a_head_are_taken_from_those_to_train_on(make, collection, tmp_path, monkeypatch):
    train, test = sides(collection)
    seen = []

    def train_head(config, parts, folder):
        seen.append((config.seed, len(parts.train), len(parts.calibration)))
        raise KeyboardInterrupt

    drawn_from = []
    monkeypatch.setattr(cmn_recorded, "train_head", train_head)
    monkeypatch.setattr(
        cmn_recorded,
        "hold_out",
        lambda people, share, seed: hold_out(drawn_from.append(sorted(people)) or drawn_from[-1], share, seed),
    )
    with pytest.raises(KeyboardInterrupt):
        make("cmn", collection)(train, test, 5, tmp_path)
    assert set(drawn_from[0]) == {"toy/p1", "toy/p2", "toy/p3"}
    assert seen == [(5, 6, 3)]


def test_the_folds_of_a_head_read_what_was_embedded_before_them(make, collection, tmp_path, monkeypatch):
    method = make("cmn", collection)
    cmn_recorded.prepare(method.config, collection)
    monkeypatch.setattr("train.clips.embeddings._compute", lambda *given: pytest.fail("embedded again"))
    train, test = sides(collection)
    assert method(train, test, 5, tmp_path).shape == (2, 3, 3)


def test_a_head_sees_each_event_through_one_camera_cut_at_moments_of_its_own(make, drawn, collected, tmp_path):
    config = msgspec.structs.replace(make("cmn", None).config, jitter_s=0.05)
    collection = collected(drawn(), train_hz=(0.0, 25.0))
    encoder = open_encoder(Path(config.encoder))
    takes = [cmn_recorded.embedded(config, clips, encoder) for clips in collection.takes(collection.ids(), (0.0, 25.0))]
    assert [len(clip.times) for clip in takes[0]] == [13] * 12  # the event's 9 frames and what is 0.05 s around it
    still = cmn_recorded.Takes(takes[:1], collection.labels, 0.0)
    assert still.lengths.tolist() == [9] * 12
    assert still.shown(torch.Generator()) is still
    moving = cmn_recorded.Takes(takes, collection.labels, 0.05)
    seen = [moving.shown(torch.Generator().manual_seed(seed)) for seed in range(30)]
    lengths = torch.stack([events.lengths for events in seen])
    assert set(lengths.flatten().tolist()) >= {3, 4, 5, 8, 9, 10, 11}
    assert lengths.min() >= 2
    assert lengths.max() <= 13
    assert all(torch.equal(events.labels, still.labels) for events in seen)
    again = moving.shown(torch.Generator().manual_seed(7))
    assert torch.equal(again.clean, seen[7].clean)


def test_the_temperature_is_set_on_what_every_camera_sees(make, drawn, collected, tmp_path, monkeypatch):
    method, seen = make("cmn", collected(drawn(), train_hz=(0.0, 25.0), test_hz=(0.0,))), []
    rates = msgspec.structs.replace(method.config.rates, train_hz=(0.0, 25.0), test_hz=(0.0,))
    method = dataclasses.replace(method, config=msgspec.structs.replace(method.config, rates=rates))

    def train_head(config, parts, folder):
        seen.append((len(parts.train), len(parts.calibration)))
        raise KeyboardInterrupt

    monkeypatch.setattr(cmn_recorded, "train_head", train_head)
    train, test = sides(method.collection)
    with pytest.raises(KeyboardInterrupt):
        method(train, test, 5, tmp_path)
    assert seen == [(6, 6)]  # of three people one calibrates, through both
