"""The two losses against slow loops, with answers that are known in advance."""

import math

import pytest
import torch

from train.methods.quintuplet.modes_loss import modes
from train.methods.quintuplet.quintuplet_loss import quintuplet

MARGINS = {"micro": 0.3, "macro": 0.4, "across": 0.2}


def apart(a, b):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return 1.0 - dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def slow_quintuplet(rows, there):
    """Term by term, as written: a, p, n, P, N."""
    total = 0.0
    for (a, p, n, big_p, big_n), (has_p, has_n, has_big_p, has_big_n) in zip(rows, there, strict=True):
        if has_p and has_n:
            total += max(apart(a, p) - apart(a, n) + 0.3, 0.0)
        if has_big_p and has_big_n:
            total += max(apart(a, big_p) - apart(a, big_n) + 0.4, 0.0)
        if has_p and has_big_n:
            total += max(apart(a, p) - apart(a, big_n) + 0.2, 0.0)
        if has_big_p and has_n:
            total += max(apart(a, big_p) - apart(a, n) + 0.2, 0.0)
    return total / len(rows)


def test_quintuplets_cost_what_a_slow_loop_says():
    torch.manual_seed(1)
    features = torch.randn(12, 5, 6)
    there = torch.rand(12, 4) < 0.7
    wanted = slow_quintuplet(features.tolist(), there.tolist())
    assert quintuplet(features, there, MARGINS).item() == pytest.approx(wanted, rel=1e-5)
    assert wanted > 0.0


def test_a_triplet_is_what_is_left_without_macro_expressions():
    torch.manual_seed(2)
    features, there = torch.randn(6, 3, 4), torch.tensor([[True, True, False, False]] * 6)
    wanted = sum(max(apart(a, p) - apart(a, n) + 0.3, 0.0) for a, p, n in features.tolist()) / 6
    assert quintuplet(features, there, MARGINS).item() == pytest.approx(wanted, rel=1e-5)


def test_what_is_far_enough_apart_costs_nothing_and_a_missing_partner_neither():
    near, far = [1.0, 0.0], [0.0, 1.0]
    groups = torch.tensor([[near, near, far, near, far]])
    assert quintuplet(groups, torch.ones(1, 4, dtype=torch.bool), MARGINS).item() == 0.0
    wrong = torch.tensor([[near, far, near, far, near]])
    assert quintuplet(wrong, torch.ones(1, 4, dtype=torch.bool), MARGINS).item() == pytest.approx(4 + 0.3 + 0.4 + 0.4)
    assert quintuplet(wrong, torch.tensor([[False, True, False, True]]), MARGINS).item() == 0.0


def test_the_gradient_pulls_the_positive_nearer_and_pushes_the_negative_away():
    features = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [1.0, 0.9], [1.0, 1.0], [1.0, 0.9]]], requires_grad=True)
    loss = quintuplet(features, torch.ones(1, 4, dtype=torch.bool), MARGINS)
    loss.backward()
    moved = features.detach() - 0.01 * features.grad
    before, after = (torch.cosine_similarity(x[0, :1], x[0, 1:], dim=1) for x in (features.detach(), moved))
    assert [bool(x) for x in after > before] == [True, False, True, False]


def test_modes_cost_what_a_slow_loop_says():
    torch.manual_seed(3)
    one, other = torch.randn(5, 4), torch.randn(5, 4)
    total = 0.0
    for a, b in ((one.tolist(), other.tolist()), (other.tolist(), one.tolist())):
        for i in range(5):
            similar = [math.exp((1.0 - apart(a[i], b[j])) / 0.1) for j in range(5)]
            total -= math.log(similar[i] / sum(similar))
    assert modes(one, other, 0.1).item() == pytest.approx(total / 10, rel=1e-4)


def test_modes_that_agree_cost_little_and_those_of_other_clips_much():
    x = torch.eye(4)
    assert modes(x, 3.0 * x, 0.1).item() < 1e-3
    assert modes(x, x.roll(1, 0), 0.1).item() > 5.0
