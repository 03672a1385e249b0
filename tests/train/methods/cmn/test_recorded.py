"""The contrastive magnification head on recorded clips: what it is shown of them, and folds that only read."""

import dataclasses
import pickle
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from realtime.engine.package.manifest import MODEL, sha256
from realtime.labels import NONE
from realtime.representation.embedding_sequence import EMBEDDINGS
from train.clips import embeddings
from train.methods.experiment import Experiment
from train.methods.folds import FoldPredict
from train.registry import METHODS
from train.sources.recorded import RecordedSource

CMN = METHODS["cmn"]
replace = msgspec.structs.replace


@pytest.fixture
def recorded(recipe_of, drawn, collected, packages, gathered):
    """Recorded clips through two cameras, and an encoder that was exported."""

    def make(test_hz=(0.0, 25.0), **changes):
        given = recipe_of("cmn", "smic-3", encoder=str(packages / "encoder"), **changes)
        rates = replace(given.source.rates, train_hz=(0.0, 25.0), test_hz=test_hz)
        given = dataclasses.replace(given, source=replace(given.source, rates=rates, calibration=0.4))
        gathered(collected(drawn(), train_hz=(0.0, 25.0), test_hz=test_hz))
        return Experiment(CMN, given, RecordedSource(given.source, Path(given.method.cache), 1))

    return make


def test_an_event_is_cut_with_what_lies_up_to_the_jitter_around_it(recorded):
    [as_recorded, slow] = recorded(jitter_s=0.05).split.train
    assert {len(clip.times) for clip in as_recorded} == {13}  # the event's 9 frames and two before and after
    assert {len(clip.times) for clip in slow} <= {6, 7}
    assert {len(clip.times) for clip in recorded().split.train[0]} == {9}


def test_it_is_judged_on_the_frames_that_the_live_encoder_sees_and_learns_from_all(recorded):
    split = recorded(encoder_hz=30.0).split
    assert {len(clip.times) for clip in split.train[0]} == {9}
    assert max(len(clip.times) for clip in split.calibration) == 6  # of the nine at 50 Hz


def test_each_frame_has_its_own_movement_behind_its_embedding(recorded, packages):
    asked = recorded()
    made = CMN.representation(asked.config)
    assert (made.width, made.cells, made.encoder_sha256) == (16, 7, sha256(packages / "encoder" / MODEL))
    assert {clip.clean.shape[1] for clip in asked.split.calibration} == {made.row}
    assert CMN.inputs(asked.config, asked.split.calibration, "final")[EMBEDDINGS].shape == (12, 8, made.row)
    assert CMN.network(asked.config, 3).width == made.row


def test_a_fold_gives_the_same_bits_wherever_it_runs_and_reads_what_was_embedded_before_it(
    recorded, tmp_path, monkeypatch
):
    asked = recorded()
    asked.prepare()
    monkeypatch.setattr(embeddings, "_compute", lambda *given: pytest.fail("embedded again"))
    fold, found = asked.source.folds()[0], []
    for number, each in enumerate((FoldPredict(asked), pickle.loads(pickle.dumps(FoldPredict(asked))))):
        torch.rand(number + 3)  # what was drawn before does not matter
        found.append(each(fold.train, fold.test, 5, tmp_path / str(number)))
    assert found[0].shape == (2, 3, 3)
    assert found[0].sum(2) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][0], found[0][1])  # other pictures at the other rate


def test_neither_labels_nor_company_of_a_test_clip_change_its_answer(recorded, tmp_path):
    asked = recorded()
    train, test = asked.source.folds()[0].train, asked.source.folds()[0].test
    whole = FoldPredict(asked)(train, test, 5, tmp_path / "whole")
    collection = asked.source.collection
    at = {
        hz: {
            id: dataclasses.replace(clip, sample=dataclasses.replace(clip.sample, label=NONE)) if id in test else clip
            for id, clip in through.items()
        }
        for hz, through in collection.at.items()
    }
    vars(asked.source)["collection"] = dataclasses.replace(collection, at=at)
    few = FoldPredict(asked)(train, test[::-1][:2], 5, tmp_path / "few")
    assert few == pytest.approx(whole[:, ::-1][:, :2], abs=1e-6)
