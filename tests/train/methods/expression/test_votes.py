import math

import pytest
import torch

from train.methods.expression.votes import vote_cross_entropy


def test_equals_the_sum_over_classes_in_loops():
    g = torch.Generator().manual_seed(1)
    logits = torch.randn(5, 8, generator=g, dtype=torch.float64)
    shares = torch.rand(5, 8, generator=g, dtype=torch.float64)
    shares = shares / shares.sum(1, keepdim=True)
    total = 0.0
    for row in range(5):
        whole = sum(math.exp(x) for x in logits[row].tolist())
        total -= sum(q * math.log(math.exp(x) / whole) for q, x in zip(shares[row], logits[row].tolist(), strict=True))
    assert float(vote_cross_entropy(logits, shares)) == pytest.approx(float(total) / 5)


def test_undecided_logits_cost_the_log_of_the_classes_whatever_the_votes():
    shares = torch.tensor([[1.0, 0, 0, 0], [0.4, 0.3, 0.2, 0.1]])
    assert float(vote_cross_entropy(torch.zeros(2, 4), shares)) == pytest.approx(math.log(4))


def test_one_vote_alone_is_the_usual_cross_entropy():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(2))
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    shares = torch.nn.functional.one_hot(labels, 3).float()
    wanted = torch.nn.functional.cross_entropy(logits, labels)
    assert float(vote_cross_entropy(logits, shares)) == pytest.approx(float(wanted))


def test_the_least_loss_is_the_entropy_of_the_votes_and_there_the_gradient_is_zero():
    shares = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64)
    logits = shares.log().requires_grad_()
    loss = vote_cross_entropy(logits, shares)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-sum(q * math.log(q) for q in (0.5, 0.3, 0.2)))
    assert torch.allclose(logits.grad, torch.zeros(1, 3, dtype=torch.float64), atol=1e-12)


def test_huge_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = vote_cross_entropy(logits, torch.tensor([[0.5, 0.5]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
