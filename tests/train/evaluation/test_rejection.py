import pytest
import torch

from realtime.labels import MEGC3
from train.evaluation.rejection import judge, judged, rejected

SURE = 8.0


def logits(*columns):
    found = torch.zeros(len(columns), 4)
    found[torch.arange(len(columns)), torch.tensor(columns)] = SURE
    return found


def test_none_is_no_label_to_tell():
    doubtful = torch.tensor([[0.0, 2.0, 1.0, 9.0]])
    assert judge(doubtful, ["positive"]).recall["positive"] == 1.0


def test_what_serving_would_withdraw_is_counted():
    assert rejected(logits(3, 3, 0, 1)) == 0.5
    assert rejected(torch.tensor([[0.0, 0.0, -99.0, 0.0]])) == 0.0  # a third is no half
    assert rejected(torch.zeros(0, 4)) == 0.0


def test_figures_are_told_by_stage_and_by_kind_of_nothing():
    told = {"final": logits(0, 1, 2, 3), "early": logits(0, 0, 2, 1)}
    found = {score.name: score for score in judged(told, [*MEGC3, "positive"], {"rest": logits(3, 3, 3, 0)}, "toy")}
    assert found["kept"].value == 0.75
    assert found["rejected_rest"].value == 0.75
    assert found["rejected_rest"].counts == {"none": 4}
    assert found["final_accuracy"].value == pytest.approx(0.75)  # the fourth has all classes alike: the first is said
    assert found["early_accuracy"].value == pytest.approx(0.75)
    assert found["final_uf1"].counts == {"negative": 1, "positive": 2, "surprise": 1}
