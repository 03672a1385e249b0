import math

import pytest
import torch

from train.methods.cmn.inter import inter_contrast


def batch(seed, labels, d=5):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(labels), d, generator=g, dtype=torch.float64), torch.tensor(labels)


def slow(clips, labels, t):
    """The patent's formula with A(k) = batch without k, one pair at a time; clips without a positive are skipped."""
    v = [[float(x) / float(clip.norm()) for x in clip] for clip in clips]

    def power(k, a):
        return math.exp(sum(x * y for x, y in zip(v[k], v[a], strict=True)) / t)

    each = []
    for k in range(len(v)):
        others = [a for a in range(len(v)) if a != k]
        positives = [p for p in others if labels[p] == labels[k]]
        if positives:
            whole = sum(power(k, a) for a in others)
            each.append(-sum(math.log(power(k, p) / whole) for p in positives) / len(positives))
    return sum(each) / len(each) if each else 0.0


@pytest.mark.parametrize("temperature", [0.07, 0.1, 0.5])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 3, 4]])
def test_equals_the_formula_summed_in_loops(labels, temperature):
    clips, classes = batch(1, labels)
    assert float(inter_contrast(clips, classes, temperature)) == pytest.approx(slow(clips, labels, temperature))


def test_clips_that_are_all_alike_cost_the_log_of_the_others():
    assert float(inter_contrast(torch.ones(6, 4), torch.tensor([0, 0, 1, 1, 2, 2]), 0.1)) == pytest.approx(math.log(5))


def test_tight_and_opposite_classes_cost_nothing():
    v = torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    assert float(inter_contrast(v, torch.tensor([0, 0, 1, 1]), 0.1)) == pytest.approx(0.0, abs=1e-6)


def test_a_clip_without_another_of_its_class_is_skipped_but_still_repels():
    clips, labels = batch(2, [0, 0, 1])
    with_lonely = float(inter_contrast(clips, labels, 0.1))
    assert with_lonely == pytest.approx(slow(clips, [0, 0, 1], 0.1))
    assert with_lonely > float(inter_contrast(clips[:2], labels[:2], 0.1)) == pytest.approx(0.0)


@pytest.mark.parametrize("labels", [[0], [0, 1, 2]])
def test_a_batch_without_any_pair_costs_nothing_and_has_finite_gradients(labels):
    clips, classes = batch(3, labels)
    clips.requires_grad_()
    loss = inter_contrast(clips, classes, 0.1)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.equal(clips.grad, torch.zeros_like(clips))


def test_the_order_of_the_batch_and_the_names_of_the_classes_do_not_matter():
    clips, labels = batch(4, [0, 0, 1, 1, 2])
    order = torch.tensor([3, 1, 4, 0, 2])
    wanted = float(inter_contrast(clips, labels, 0.1))
    assert float(inter_contrast(clips[order], labels[order], 0.1)) == pytest.approx(wanted)
    assert float(inter_contrast(clips, 7 - labels, 0.1)) == pytest.approx(wanted)


def test_with_both_views_every_clip_has_a_positive():
    clips, labels = batch(5, [0, 1, 2])
    both = torch.cat([clips, clips + 0.01])
    assert float(inter_contrast(both, labels.repeat(2), 0.1)) > 0.0


def test_gradients_are_finite_for_long_and_for_empty_vectors():
    clips, labels = batch(6, [0, 0, 1, 1])
    for factor in (1e4, 0.0):
        scaled = (factor * clips).float().requires_grad_()
        inter_contrast(scaled, labels, 0.07).backward()
        assert torch.isfinite(scaled.grad).all()


def test_gradients_are_those_of_finite_differences():
    clips, labels = batch(7, [0, 0, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda v: inter_contrast(v, labels, 0.5), clips.requires_grad_())
