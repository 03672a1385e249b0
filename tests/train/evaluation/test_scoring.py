import pytest

from train.evaluation.metrics import scores
from train.evaluation.predictions import Prediction, classes
from train.evaluation.scoring import by_rate, figures

LABELS = ("negative", "positive")


def rows(rate_hz, *said):
    shares = {"negative": (0.9, 0.1), "positive": (0.2, 0.8)}
    return [
        Prediction(f"toy/{i}", rate_hz, "toy", "toy/p", truth, shares[answer])
        for i, (truth, answer) in enumerate(zip(("negative", "positive", "positive"), said, strict=True))
    ]


def test_each_rate_is_scored_alone_and_the_first_is_first():
    slow, own = rows(30.0, "negative", "positive", "negative"), rows(0.0, "negative", "positive", "positive")
    found = by_rate([slow[0], own[0], *slow[1:], *own[1:]], LABELS)
    assert list(found) == [30.0, 0.0]
    assert found[30.0] == scores(*classes(slow, LABELS), LABELS)
    assert (found[30.0].accuracy, found[0.0].accuracy) == (pytest.approx(2 / 3), 1.0)


def test_figures_of_the_headline_have_plain_names_and_the_others_their_rate():
    own, slow = rows(0.0, "negative", "positive", "positive"), rows(29.97, "negative", "positive", "negative")
    found = figures(by_rate([*own, *slow], LABELS))
    assert list(found)[:4] == ["accuracy", "uf1", "uar", "majority_accuracy"]
    assert (found["accuracy"], found["accuracy_29.97hz"]) == (1.0, pytest.approx(2 / 3))
    assert len(found) == 8
    assert figures(by_rate([*slow, *own], LABELS))["uar_own"] == 1.0
