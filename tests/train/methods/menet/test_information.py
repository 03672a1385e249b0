"""The estimator of mutual information: its bound and its gradient, against loops and against what is known."""

import copy
import math

import pytest
import torch

from train.methods.menet.information import InformationEstimator, bound, log_mean_exp


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def estimator():
    torch.manual_seed(1)
    return InformationEstimator(2, 3, 0.9)


def statistic(estimator, motion, identity):
    return float(estimator.statistics(torch.cat([motion, identity])[None]))


def test_the_bound_is_a_mean_and_the_logarithm_of_a_mean():
    joint, marginal = drawn(5), drawn(5, seed=1)
    wanted = sum(joint.tolist()) / 5 - math.log(sum(map(math.exp, marginal.tolist())) / 5)
    assert float(bound(joint, marginal)) == pytest.approx(wanted, abs=1e-6)


def test_large_statistics_do_not_overflow():
    assert float(log_mean_exp(torch.tensor([1000.0, 1000.0]))) == pytest.approx(1000.0)


def test_pairs_are_held_against_pairs_of_different_clips(estimator):
    motion, identity = drawn(2, 2), drawn(2, 3, seed=1)  # of two clips there is one way to mix them
    with torch.no_grad():
        joint = [statistic(estimator, motion[k], identity[k]) for k in range(2)]
        mixed = [statistic(estimator, motion[k], identity[1 - k]) for k in range(2)]
        wanted = sum(joint) / 2 - math.log(sum(map(math.exp, mixed)) / 2)
        assert float(estimator.estimate(motion, identity)) == pytest.approx(wanted, abs=1e-5)
        assert float(estimator.cost(motion, identity)) == pytest.approx(-wanted, abs=1e-5)


def test_no_clip_is_ever_held_against_its_own_identity(estimator):
    met = []
    estimator.statistics.register_forward_hook(lambda _, given, __: met.append(given[0][:, [0, 2]].clone()))
    numbers = torch.arange(5.0)
    for _ in range(30):
        estimator.estimate(numbers[:, None].expand(5, 2), numbers[:, None].expand(5, 3))
    own, others = met[::2], met[1::2]
    assert all(bool((pair[:, 0] == pair[:, 1]).all()) for pair in own)
    assert not any(bool((pair[:, 0] == pair[:, 1]).any()) for pair in others)
    assert len({tuple(pair[:, 1].tolist()) for pair in others}) == 4  # all ways to shift five


def test_its_gradient_is_divided_by_the_moving_average_and_not_by_the_batch(estimator):
    """Equation 12 of Belghazi et al.: E[grad T] - E[exp(T) grad T] / average, parameter by parameter."""
    before = [(drawn(2, 2, seed=seed), 3 * drawn(2, 3, seed=seed + 10)) for seed in range(3)]
    averages = []
    for motion, identity in before:
        slow = copy.deepcopy(estimator)
        with torch.no_grad():
            mean = sum(math.exp(statistic(slow, motion[k], identity[1 - k])) for k in range(2)) / 2
        averages.append(mean)
        estimator.zero_grad()
        estimator.cost(motion, identity).backward()
    average = sum(averages) / 3  # the first ten count evenly at a decay of 0.9
    motion, identity = before[-1]
    for parameter, twin in zip(estimator.parameters(), slow.parameters(), strict=True):
        total = torch.zeros_like(parameter)
        for k in range(2):
            own = slow.statistics(torch.cat([motion[k], identity[k]])[None]).squeeze()
            other = slow.statistics(torch.cat([motion[k], identity[1 - k]])[None]).squeeze()
            (up,) = torch.autograd.grad(own, twin)
            (down,) = torch.autograd.grad(other, twin)
            total += up / 2 - math.exp(float(other.detach())) * down / 2 / average
        torch.testing.assert_close(parameter.grad, -total, atol=1e-5, rtol=1e-4)


def test_the_moving_average_counts_the_first_batches_evenly_and_then_decays(estimator):
    values = [2.0 + math.sin(k) for k in range(20)]
    kept = 0.0
    for number, value in enumerate(values):
        estimator._follow(torch.tensor(value).log())
        decay = min(0.9, number / (number + 1))
        kept = decay * kept + (1 - decay) * value
        assert float(estimator.log_mean.exp()) == pytest.approx(kept, rel=1e-5)
    assert int(estimator.batches) == 20


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_of_normal_numbers_it_finds_what_their_correlation_says(share):
    """I = -1/2 log(1 - r^2) nats."""
    torch.manual_seed(3)
    made = InformationEstimator(1, 1, 0.99)
    made.statistics = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    optimiser = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(400):
        motion, own = torch.randn(2, 256, 1)
        cost = made.cost(motion, share * motion + math.sqrt(1 - share**2) * own)
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
    motion, own = torch.randn(2, 4096, 1)
    with torch.no_grad():
        found = float(made.estimate(motion, share * motion + math.sqrt(1 - share**2) * own))
    assert found == pytest.approx(-0.5 * math.log(1 - share**2), abs=0.15)
