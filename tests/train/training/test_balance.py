import torch

from train.training.balance import balanced

LABELS = torch.tensor([0] * 7 + [2] * 3 + [3])  # and none of class 1


def test_every_class_comes_as_often_as_the_largest_and_every_sample_as_often_as_its_neighbours():
    rows = balanced(LABELS, torch.Generator().manual_seed(1))
    assert torch.bincount(LABELS[rows]).tolist() == [7, 0, 7, 7]
    often = torch.bincount(rows, minlength=len(LABELS)).tolist()
    assert often[:7] == [1] * 7
    assert sorted(often[7:10]) == [2, 2, 3]
    assert often[10] == 7


def test_who_is_repeated_once_more_and_the_order_are_drawn_anew_and_again():
    found = [balanced(LABELS, torch.Generator().manual_seed(seed)).tolist() for seed in (1, 1, 2, 3, 4, 5)]
    assert found[0] == found[1]
    assert len({tuple(rows) for rows in found}) == 5
    assert len({max((7, 8, 9), key=rows.count) for rows in found}) > 1
