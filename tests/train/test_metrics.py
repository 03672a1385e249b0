import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from realtime.labels import MEGC3
from train.metrics import confusion, scores


@pytest.mark.parametrize("seed", range(20))
def test_scores_are_those_of_scikit_learn_also_where_classes_are_missing(seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(1, 4, 2)  # some draws lack a class in the truth, some in the answers
    truth, said = (rng.integers(0, most, 30) for most in classes)
    found = scores(truth, said, MEGC3)
    every = {"labels": [0, 1, 2], "average": "macro", "zero_division": 0}
    assert found.accuracy == pytest.approx(accuracy_score(truth, said))
    assert found.uf1 == pytest.approx(f1_score(truth, said, **every))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found.uar == pytest.approx(recall_score(truth, said, **every))
    assert np.array_equal(confusion(truth, said, 3), confusion_matrix(truth, said, labels=[0, 1, 2]))


def test_known_answers_with_their_counts_and_the_majority():
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    said = np.array([0, 0, 0, 1, 1, 0, 2, 2])
    found = scores(truth, said, MEGC3)
    assert found.accuracy == 0.75
    assert found.uar == pytest.approx((0.75 + 0.5 + 1.0) / 3)
    assert found.uf1 == pytest.approx((6 / 8 + 2 / 4 + 1.0) / 3)
    assert found.majority == 0.5
    assert found.counts == {"negative": 4, "positive": 2, "surprise": 2}


def test_always_saying_the_commonest_class_reaches_the_majority_and_no_more():
    truth = np.array([0] * 6 + [1] * 3 + [2])
    found = scores(truth, np.zeros(10, np.int64), MEGC3)
    assert found.accuracy == found.majority == 0.6
    assert found.uar == pytest.approx(1 / 3)
    assert found.uf1 == pytest.approx(0.75 / 3)


def test_pooling_is_not_averaging_over_parts():
    truth, said = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 0, 0])
    halves = [scores(truth[part], said[part], ("a", "b")).uf1 for part in (slice(0, 4), slice(4, 5))]
    assert scores(truth, said, ("a", "b")).uf1 != pytest.approx(np.mean(halves))


def test_no_clip_has_no_score():
    with pytest.raises(ValueError, match="at least 1"):
        scores(np.array([], np.int64), np.array([], np.int64), MEGC3)
