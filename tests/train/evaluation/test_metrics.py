import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from realtime.labels import MEGC3
from train.evaluation.metrics import Interval, bootstrap, confusion, majority, scores, scores_of


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


@pytest.mark.parametrize("seed", range(5))
def test_scores_by_class_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, said = rng.integers(0, 3, (2, 40))
    found = scores(truth, said, MEGC3)
    assert list(found.recall) == list(found.f1) == list(MEGC3)
    every = {"labels": [0, 1, 2], "average": None}
    assert list(found.recall.values()) == pytest.approx(recall_score(truth, said, **every))
    assert list(found.f1.values()) == pytest.approx(f1_score(truth, said, **every))


def test_the_weighted_average_recall_is_the_accuracy():
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 3, (2, 50))
    assert scores(truth, said, MEGC3).accuracy == pytest.approx(recall_score(truth, said, average="weighted"))


def test_the_majority_says_the_commonest_true_class_of_everything():
    table = np.array([[1, 2, 0], [0, 4, 3], [0, 0, 2]])
    assert np.array_equal(majority(table), [[0, 3, 0], [0, 7, 0], [0, 2, 0]])
    found = scores_of(majority(table), MEGC3)
    assert found.accuracy == scores_of(table, MEGC3).majority == pytest.approx(7 / 12)
    assert found.uar == pytest.approx(1 / 3)
    assert found.uf1 == pytest.approx(14 / (12 + 7) / 3)


def test_intervals_are_those_of_a_slow_bootstrap_over_people():
    rng = np.random.default_rng(2)
    subjects = np.array([f"s{i}" for i in rng.integers(0, 7, 60)])
    truth, said = rng.integers(0, 3, (2, 60))
    found = bootstrap(truth, said, list(subjects), 3, draws=200, seed=5)
    people = np.unique(subjects)
    drawn = []
    for times in np.random.default_rng(5).multinomial(7, [1 / 7] * 7, size=200):
        clips = np.concatenate(
            [np.flatnonzero(subjects == s) for s, n in zip(people, times, strict=True) for _ in range(n)]
        )
        drawn.append(scores(truth[clips], said[clips], MEGC3).figures())
    for name, interval in found.items():
        low, high = np.percentile([figures[name] for figures in drawn], [2.5, 97.5])
        assert (interval.low, interval.high) == pytest.approx((low, high))


def test_intervals_hold_the_score_and_depend_on_the_seed_alone():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 100)
    said = np.where(rng.random(100) < 0.8, truth, 1 - truth)
    subjects = [str(i % 20) for i in range(100)]
    first = bootstrap(truth, said, subjects, 2, draws=500, seed=1)
    assert first == bootstrap(truth, said, subjects, 2, draws=500, seed=1)
    assert first != bootstrap(truth, said, subjects, 2, draws=500, seed=2)
    found = scores(truth, said, ("a", "b"))
    assert all(interval.low < getattr(found, name) < interval.high for name, interval in first.items())


def test_clips_of_one_person_that_are_alike_widen_the_interval():
    right = np.repeat([1, 0, 1, 1, 0, 1, 0, 1], 10)  # of each person all or none
    truth, said = np.ones(80, np.int64), right.astype(np.int64)
    by_person = bootstrap(truth, said, list(np.repeat(list("abcdefgh"), 10)), 2, draws=500, seed=1)["accuracy"]
    by_clip = bootstrap(truth, said, [str(i) for i in range(80)], 2, draws=500, seed=1)["accuracy"]
    assert by_person.high - by_person.low > 2 * (by_clip.high - by_clip.low)


def test_a_single_person_has_an_interval_of_no_width():
    truth, said = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    interval = bootstrap(truth, said, ["a"] * 4, 2, draws=50, seed=1)["accuracy"]
    assert interval == Interval(0.75, 0.75)
