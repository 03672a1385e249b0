import math

import pytest
import torch

from train.methods.cmn.intra import intra_contrast


def vectors(seed, b=3, n=4, s=5, d=6):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=g, dtype=torch.float64) for shape in ((b, n, d), (b, n, d), (b, n, s, d))]


def slow(first, second, negatives, t):
    """The patent's formula, one pair at a time, the mean over clips in place of the sum."""

    def unit(x):
        return [float(value) / float(x.norm()) for value in x]

    def sim(a, b):
        return math.exp(sum(p * q for p, q in zip(unit(a), unit(b), strict=True)) / t)

    total = 0.0
    for k in range(len(first)):
        clip = 0.0
        for i in range(first.shape[1]):
            a, b = first[k, i], second[k, i]
            against_a = sum(sim(a, other) for other in negatives[k, i])
            against_b = sum(sim(b, other) for other in negatives[k, i])
            clip += math.log(sim(a, b) / (sim(a, b) + against_a)) + math.log(sim(a, b) / (sim(a, b) + against_b))
        total += -clip / first.shape[1]
    return total / len(first)


@pytest.mark.parametrize("temperature", [0.07, 0.1, 0.5])
def test_equals_the_patents_formula_summed_in_loops(temperature):
    a, b, negatives = vectors(1)
    assert float(intra_contrast(a, b, negatives, temperature)) == pytest.approx(slow(a, b, negatives, temperature))


def test_vectors_that_are_all_alike_cost_twice_the_log_of_their_number():
    alike = torch.ones(2, 3, 8)
    assert float(intra_contrast(alike, alike, torch.ones(2, 3, 4, 8), 0.1)) == pytest.approx(2 * math.log(5))


def test_views_that_agree_against_opposite_negatives_cost_nothing():
    a = torch.eye(4)[None]
    assert float(intra_contrast(a, a, -a[:, :, None].expand(1, 4, 3, 4), 0.1)) == pytest.approx(0.0, abs=1e-7)


def test_the_two_views_may_be_exchanged():
    a, b, negatives = vectors(2)
    assert float(intra_contrast(a, b, negatives, 0.1)) == pytest.approx(float(intra_contrast(b, a, negatives, 0.1)))


def test_the_order_of_clips_frames_and_negatives_does_not_matter():
    a, b, negatives = vectors(3)
    clips, frames, others = torch.tensor([2, 0, 1]), torch.tensor([3, 1, 0, 2]), torch.tensor([4, 2, 0, 1, 3])
    mixed = (a[clips][:, frames], b[clips][:, frames], negatives[clips][:, frames][:, :, others])
    assert float(intra_contrast(*mixed, 0.1)) == pytest.approx(float(intra_contrast(a, b, negatives, 0.1)))


def test_negatives_of_another_frame_do_matter():
    a, b, negatives = vectors(4)
    assert float(intra_contrast(a, b, negatives.flip(1), 0.1)) != pytest.approx(
        float(intra_contrast(a, b, negatives, 0.1))
    )


def test_a_clip_counts_the_same_in_a_batch_of_any_size():
    a, b, negatives = vectors(5)
    doubled = [torch.cat([x, x]) for x in (a, b, negatives)]
    assert float(intra_contrast(*doubled, 0.1)) == pytest.approx(float(intra_contrast(a, b, negatives, 0.1)))


def test_long_vectors_change_nothing_and_their_gradients_are_finite():
    a, b, negatives = vectors(6)
    plain = float(intra_contrast(a, b, negatives, 0.1))
    long = [(1000 * x).float().requires_grad_() for x in (a, b, negatives)]
    loss = intra_contrast(*long, 0.1)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(plain, rel=1e-4)
    assert all(torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0 for x in long)


def test_vectors_of_length_zero_have_finite_gradients():
    zero = torch.zeros(1, 2, 3, requires_grad=True)
    intra_contrast(zero, zero, torch.zeros(1, 2, 2, 3), 0.1).backward()
    assert torch.isfinite(zero.grad).all()


def test_gradients_are_those_of_finite_differences():
    inputs = [x.requires_grad_() for x in vectors(7, b=2, n=2, s=2, d=3)]
    assert torch.autograd.gradcheck(lambda a, b, n: intra_contrast(a, b, n, 0.5), inputs)


def test_a_step_against_the_gradient_brings_views_together_and_negatives_away():
    a, b, negatives = (x.requires_grad_() for x in vectors(8))
    intra_contrast(a, b, negatives, 0.5).backward()
    a2, n2 = a - 0.1 * a.grad, negatives - 0.1 * negatives.grad
    cos = torch.nn.functional.cosine_similarity
    assert cos(a2, b, dim=-1).mean() > cos(a, b, dim=-1).mean()
    assert cos(a[:, :, None], n2, dim=-1).mean() < cos(a[:, :, None], negatives, dim=-1).mean()
