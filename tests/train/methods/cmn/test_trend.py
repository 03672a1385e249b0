import math

import pytest
import torch

from train.methods.cmn.trend import trend

TIMES = torch.tensor([[-0.2, -0.1, 0.0, 0.1, 0.3], [-0.3, -0.05, 0.02, 0.02, 0.1]], dtype=torch.float64)


def numbers(seed, clips=2, frames=5):
    return torch.randn(clips, frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow(intensity, times):
    costs = []
    for w, t in zip(intensity.tolist(), times.tolist(), strict=True):
        for i, nearer in enumerate(t):
            for j, farther in enumerate(t):
                same_side = (nearer <= 0 and farther <= 0) or (nearer >= 0 and farther >= 0)
                if same_side and abs(nearer) < abs(farther):
                    costs.append(math.log(1 + math.exp(w[j] - w[i])))
    return sum(costs) / len(costs)


def test_equals_its_formula_summed_in_loops():
    assert float(trend(numbers(1), TIMES)) == pytest.approx(slow(numbers(1), TIMES))


def test_equal_intensities_cost_log_2_and_a_rise_and_fall_costs_less_the_steeper_it_is():
    shape = 0.3 - TIMES.abs()
    costs = [float(trend(steep * shape, TIMES)) for steep in (-10.0, 0.0, 10.0, 100.0, 1e4)]
    assert costs[1] == pytest.approx(math.log(2))
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == pytest.approx(0.0, abs=1e-6)


def test_only_the_order_is_asked_for_no_value_and_nothing_across_the_apex():
    w = numbers(2)
    cost = float(trend(w, TIMES))
    assert float(trend(w + 7.0, TIMES)) == pytest.approx(cost)
    before = (TIMES < 0).double()
    no_apex = TIMES.clone()
    no_apex[0, 2] = 0.05  # with the apex itself in view, both sides hang on it
    assert float(trend(w + 3.0 * before, no_apex)) == pytest.approx(float(trend(w, no_apex)))


def test_when_the_moments_are_does_not_matter_but_for_their_order():
    assert float(trend(numbers(3), TIMES)) == pytest.approx(float(trend(numbers(3), TIMES.sign() * TIMES.abs().sqrt())))


def test_it_bounds_the_share_of_pairs_out_of_order_that_the_rank_sum_test_counts():
    w = numbers(4)
    known = [
        (k, i, j)
        for k in range(2)
        for i in range(5)
        for j in range(5)
        if TIMES[k, i] * TIMES[k, j] >= 0 and TIMES[k, i].abs() < TIMES[k, j].abs()
    ]
    wrong = sum(float(w[k, i] < w[k, j]) for k, i, j in known) / len(known)
    assert 0 < wrong < float(trend(w, TIMES)) / math.log(2)
    steep = float(trend(1e4 * w, TIMES)) / 1e4  # the mean of what those out of order lack
    assert steep == pytest.approx(sum(max(0.0, float(w[k, j] - w[k, i])) for k, i, j in known) / len(known), abs=1e-4)


@pytest.mark.parametrize("times", [[[0.1, 0.1]], [[-0.1, 0.1]], [[0.0, 0.0]]])
def test_a_clip_of_which_no_order_is_known_costs_nothing(times):
    w = torch.randn(1, 2, requires_grad=True)
    loss = trend(w, torch.tensor(times))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.equal(w.grad, torch.zeros_like(w))


def test_steps_against_the_gradient_bring_the_frames_into_order():
    w = numbers(5).requires_grad_()
    for _ in range(300):
        (gradient,) = torch.autograd.grad(trend(w, TIMES), w)
        w = (w - 2.0 * gradient).detach().requires_grad_()
    first, second = w.detach()
    assert first.diff().sign().tolist() == [1, 1, -1, -1]
    assert float(second[1]) > float(second[0])
    assert float(second[4]) < float(second[2:4].min())


def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(lambda w: trend(w, TIMES), numbers(6).requires_grad_())
