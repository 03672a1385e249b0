import dataclasses
import pickle

import numpy as np
import pytest
import torch
from train.methods.apexnet.recorded import ApexnetFitPredict
from train.methods.cmn.recorded import CmnFitPredict

from train.config.recorded import Rates
from train.methods.apexnet.apex_frames import choose

pytestmark = pytest.mark.usefixtures("one_thread", "tiny_networks")
METHODS = ["cmn", "apexnet"]


@pytest.fixture
def collection(drawn, collected):
    return collected(drawn(), test_hz=(0.0, 25.0))


@pytest.fixture
def make(small):
    """What predicts the folds of a method, on a collection."""

    def fit_predict(method, collection):
        config = small(f"{method}-smic-3", rates=Rates(train_hz=(0.0,), test_hz=(0.0, 25.0), seed=1))
        if method == "cmn":
            config = msgspec.structs.replace(config, encoder=str(packages / "encoder"), calibration=0.4)
            return CmnFitPredict(config, collection)
        apexes = {hz: choose(tuple(clips.values()), config.apex, config.quang) for hz, clips in collection.at.items()}
        return ApexnetFitPredict(config, collection, apexes)

    return fit_predict


def sides(collection):
    ids = collection.ids()
    return [id for id in ids if "/0-" not in id], [id for id in ids if "/0-" in id]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_can_be_sent_and_gives_the_same_bits_there(method, make, collection, tmp_path):
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
def test_neither_labels_nor_company_of_a_test_clip_change_its_answer(method, make, collection, tmp_path):
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
