"""Attention, correlation, the choice and its two losses, against loops that are slow and plain."""

import math

import pytest
import torch

from train.methods.akmnet.key_frames import KeyFrames, few, mining, sparse

THERE = torch.tensor([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])


@pytest.fixture
def layer():
    torch.manual_seed(1)
    return KeyFrames(4)


@pytest.fixture
def a():
    return torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(2))


def cosine(left, right):
    dot = sum(x * y for x, y in zip(left, right, strict=True))
    return dot / math.sqrt(sum(x * x for x in left)) / math.sqrt(sum(y * y for y in right))


def correlations(layer, frames):
    """b of each of `frames`, lists of numbers, by the formula."""
    weight, bias = layer.attention.weight[0].tolist(), float(layer.attention.bias)
    attention = [1 / (1 + math.exp(-bias - sum(w * x for w, x in zip(weight, frame, strict=True)))) for frame in frames]
    whole = [sum(w * frame[k] for w, frame in zip(attention, frames, strict=True)) for k in range(len(frames[0]))]
    return [cosine(frame, whole) for frame in frames]


def test_a_frame_is_near_as_the_cosine_to_the_attended_clip_says_and_chosen_above_the_mean(layer, a):
    with torch.no_grad():
        near, chosen = layer(a, THERE)
    for row, there in enumerate(THERE.sum(1).int().tolist()):
        b = correlations(layer, a[row, :there].tolist())
        mean = sum(b) / len(b)
        assert near[row].tolist() == pytest.approx([*b, *[0.0] * (5 - there)], abs=1e-6)
        wanted = [float(one >= mean or abs(one - mean) < 1e-6) for one in b]
        assert chosen[row].tolist() == [*wanted, *[0.0] * (5 - there)]
    assert 0 < chosen[0].sum() < 5


def test_what_stands_behind_the_last_frame_is_not_looked_at(layer, a):
    found, other = layer(a, THERE), layer(a + 9 * (1 - THERE)[..., None], THERE)
    assert all(torch.equal(one, two) for one, two in zip(found, other, strict=True))


def test_frames_that_are_alike_are_all_chosen(layer):
    still = torch.rand(1, 1, 4).expand(1, 5, 4) + 1e-7 * torch.randn(1, 5, 4)
    _, chosen = layer(still, torch.ones(1, 5))
    assert chosen.tolist() == [[1.0] * 5]


def test_the_choice_passes_gradients_straight_to_b_where_the_mean_is_between_0_and_1():
    weights = torch.arange(1.0, 11.0).view(2, 5)
    b = torch.tensor([[0.1, 0.9, 0.4, 0.8, 0.3], [-0.9, -0.1, -0.4, -0.8, -0.3]], requires_grad=True)
    chosen = sparse(b, torch.ones(2, 5))
    assert chosen.tolist() == [[0, 1, 0, 1, 0], [0, 1, 1, 0, 1]]
    (chosen * weights).sum().backward()
    assert b.grad.tolist() == [weights[0].tolist(), [0.0] * 5]


def test_nothing_is_passed_to_places_without_a_frame():
    b = torch.tensor([[0.1, 0.9, 0.5]], requires_grad=True)
    sparse(b, torch.tensor([[1.0, 1.0, 0.0]])).sum().backward()
    assert b.grad.tolist() == [[1.0, 1.0, 0.0]]


def test_mining_is_two_less_how_far_the_sides_of_the_mean_are_apart():
    b = torch.tensor([[0.1, 0.9, 0.4, 0.8, 0.3], [0.2, 0.6, 0.5, 0.0, 0.0], [0.7, 0.0, 0.0, 0.0, 0.0]])
    total = 0.0
    for row, there in zip(b.tolist(), THERE.sum(1).int().tolist(), strict=True):
        seen = row[:there]
        mean = sum(seen) / len(seen)
        above, below = [one for one in seen if one > mean], [one for one in seen if one < mean]
        sides = [sum(side) / len(side) if side else 0.0 for side in (above, below)]
        total += 2 - (sides[0] - sides[1])
    assert float(mining(b, THERE)) == pytest.approx(total / 3)


def test_mining_draws_the_chosen_up_and_the_others_down():
    b = torch.tensor([[0.1, 0.9, 0.4, 0.8, 0.3]], requires_grad=True)
    mining(b, torch.ones(1, 5)).backward()
    assert b.grad[0].tolist() == pytest.approx([1 / 3, -1 / 2, 1 / 3, -1 / 2, 1 / 3])


def test_few_counts_what_is_chosen_beyond_one():
    chosen = torch.tensor([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert float(few(chosen)) == pytest.approx((2 + 0 + 0) / 3)
