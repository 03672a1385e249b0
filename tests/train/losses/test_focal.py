import math

import pytest
import torch
from torch.nn import functional as F

from train.losses.focal import focal, inverse_frequency


def batch(seed, n=6, classes=4):
    g = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (n,), generator=g)


def slow(logits, labels, gamma, alpha):
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        p = math.exp(row[label]) / sum(map(math.exp, row))
        total -= alpha[label] * (1 - p) ** gamma * math.log(p)
    return total / len(labels)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_equals_the_formula_summed_in_loops(gamma):
    logits, labels = batch(1)
    alpha = [0.5, 2.0, 1.0, 0.25]
    assert float(focal(logits, labels, gamma)) == pytest.approx(slow(logits, labels, gamma, [1.0] * 4))
    wanted = slow(logits, labels, gamma, alpha)
    assert float(focal(logits, labels, gamma, torch.tensor(alpha).double())) == pytest.approx(wanted)


def test_gamma_zero_is_cross_entropy():
    logits, labels = batch(2)
    assert float(focal(logits, labels, 0.0)) == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-12)
    alpha = torch.tensor([0.5, 2.0, 1.0, 0.25], dtype=torch.float64)
    weighted = F.cross_entropy(logits, labels, weight=alpha, reduction="none").mean()
    assert float(focal(logits, labels, 0.0, alpha)) == pytest.approx(float(weighted), rel=1e-12)


def test_a_sure_answer_counts_a_hundredth_of_its_cross_entropy_at_p_09_and_gamma_2():
    logits = torch.tensor([[math.log(0.9), math.log(0.1)]], dtype=torch.float64)
    assert float(focal(logits, torch.tensor([0]), 2.0)) == pytest.approx(-0.01 * math.log(0.9))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("logit", [-1e4, -50.0, 50.0, 1e4])
def test_gradients_are_finite_for_answers_as_sure_as_float32_can_be(gamma, logit):
    logits = torch.tensor([[logit, 0.0, 0.0]], requires_grad=True)
    focal(logits, torch.tensor([0]), gamma).backward()
    assert torch.isfinite(logits.grad).all()


def test_gradients_are_those_of_finite_differences():
    logits, labels = batch(3)
    alpha = torch.tensor([0.5, 2.0, 1.0, 0.25], dtype=torch.float64)
    for gamma in (0.5, 2.0):
        assert torch.autograd.gradcheck(lambda z, g=gamma: focal(z, labels, g, alpha), logits.requires_grad_())


def test_rare_classes_weigh_more_and_the_mean_weight_is_one():
    alpha = inverse_frequency(torch.tensor([99, 63, 32, 28, 27]))
    assert float(alpha.mean()) == pytest.approx(1.0)
    assert float(alpha[4] / alpha[0]) == pytest.approx(99 / 27)
    assert torch.allclose(alpha * torch.tensor([99, 63, 32, 28, 27]), (alpha * 1.0)[0] * 99)
    assert torch.equal(inverse_frequency(torch.tensor([7, 7])), torch.ones(2))


def test_a_class_without_samples_gets_no_weight_and_does_not_disturb_the_others():
    alpha = inverse_frequency(torch.tensor([10, 0, 20]))
    assert alpha.tolist() == pytest.approx([4 / 3, 0.0, 2 / 3])
    with pytest.raises(ValueError, match="no sample"):
        inverse_frequency(torch.tensor([0, 0]))
