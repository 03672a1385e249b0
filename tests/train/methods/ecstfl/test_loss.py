import pytest
import torch

from train.losses.ecstfl import ecstfl, ecstfl_official, ratios

VARIANTS = {"paper": ecstfl, "official": ecstfl_official}

X = torch.tensor([[0.0, 0], [1, 0], [0, 3], [4, 3]], dtype=torch.float64)
Y = torch.tensor([0, 0, 1, 1])


def batch(seed, labels, d=5):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(labels), d, generator=g, dtype=torch.float64), torch.tensor(labels)


def apart(a, b, p):
    return sum(abs(float(s) - float(t)) ** p for s, t in zip(a, b, strict=True)) ** (1 / p)


def slow_ratios(x, y, p):
    """The patent's fraction, one pair at a time; nothing to be divided by costs nothing."""
    everyone, found = range(len(x)), []
    for i in everyone:
        own = [j for j in everyone if y[j] == y[i]]
        others = [j for j in everyone if y[j] != y[i]]
        above = sum(apart(x[i], x[j], p) / len(own) for j in own)
        below = sum(apart(x[i], x[j], p) / sum(label == y[j] for label in y) for j in others)
        found.append(above / (below + 1e-6) if others else 0.0)
    return found


def slow_official(x, y):
    n, total = len(x), 0.0
    for i in range(n):
        own = [apart(x[i], x[j], 1) for j in range(n) if y[j] == y[i]]
        others = [apart(x[i], x[j], 1) for j in range(n) if y[j] != y[i]]
        near = sum(1 / (d + 1e-6) for d in others) / (len(others) + 1 + 1e-6)
        total += sum(own) / (len(own) + 1e-6) * near / n
    return total / n


@pytest.mark.parametrize(
    ("p", "each", "total"),
    [
        (2.0, [0.125, 0.135045, 0.649111, 0.432777], 1.341933),
        (1.0, [0.1, 0.1, 0.571429, 0.307692], 1.079121),
    ],
)
def test_the_formula_on_four_points_worked_out_by_hand(p, each, total):
    found = ratios(X, Y, p)
    assert found.tolist() == pytest.approx(each, abs=1e-6)
    assert float(found.sum()) == pytest.approx(total, abs=1e-6)
    assert float(ecstfl(X, Y, p)) == pytest.approx(total / 4, abs=1e-6)


def test_the_authors_code_on_the_same_points():
    assert float(ecstfl_official(X, Y)) == pytest.approx(0.0465029, abs=1e-7)


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 3, 4], [0, 1], [0, 0, 0]])
def test_equals_the_formulas_summed_in_loops(labels):
    x, y = batch(1, labels)
    for p in (1, 2):
        assert ratios(x, y, p).tolist() == pytest.approx(slow_ratios(x, labels, p), rel=1e-9)
    assert float(ecstfl_official(x, y)) == pytest.approx(slow_official(x, labels), rel=1e-9)


def test_the_variants_are_the_patents_in_euclidean_distance_and_the_code():
    x, y = batch(2, [0, 0, 1, 1])
    assert float(VARIANTS["paper"](x, y)) == pytest.approx(sum(slow_ratios(x, [0, 0, 1, 1], 2)) / 4)
    assert float(VARIANTS["official"](x, y)) == pytest.approx(slow_official(x, [0, 0, 1, 1]))


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
def test_clips_each_alone_in_its_class_cost_nothing(loss):
    x, y = batch(3, [0, 1, 2])
    x.requires_grad_()
    value = loss(x, y)
    value.backward()
    assert float(value.detach()) == 0.0
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("labels", [[0], [0, 0, 0]])
def test_one_class_alone_costs_nothing(loss, labels):
    x, y = batch(4, labels)
    x.requires_grad_()
    value = loss(x, y)
    value.backward()
    assert float(value.detach()) == 0.0
    assert torch.isfinite(x.grad).all()


def test_a_clip_alone_in_its_class_still_keeps_the_others_away():
    x, y = batch(5, [0, 0, 1])
    x.requires_grad_()
    ecstfl(x, y).backward()
    assert float(x.grad[2].norm()) > 0.0
    assert float(ratios(x, y)[2].detach()) == 0.0


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e4])
def test_gradients_are_finite_where_clips_coincide_within_and_across_classes(loss, scale):
    x = (scale * torch.tensor([[1.0, 2], [1, 2], [1, 2], [0, 1], [3, 3]])).requires_grad_()
    loss(x, torch.tensor([0, 0, 1, 1, 2])).backward()
    assert torch.isfinite(x.grad).all()
    zeros = torch.zeros(4, 3, requires_grad=True)
    loss(zeros, Y).backward()
    assert torch.equal(zeros.grad, torch.zeros_like(zeros))


def test_equal_clips_of_a_large_batch_are_found_equal():
    row = 100 * torch.randn(1, 512, generator=torch.Generator().manual_seed(6))
    x = torch.cat([row.expand(40, -1), -row]).requires_grad_()
    value = ecstfl(x, torch.tensor([0] * 40 + [1]))
    assert float(value.detach()) == 0.0


def test_the_patents_ratio_is_free_of_scale_and_place():
    x, y = batch(7, [0, 0, 1, 1, 2])
    assert float(ecstfl(50 * x + 3, y)) == pytest.approx(float(ecstfl(x, y)), rel=1e-5)


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
def test_the_order_of_the_batch_and_the_names_of_the_classes_do_not_matter(loss):
    x, y = batch(8, [0, 0, 1, 1, 2])
    order = torch.tensor([3, 1, 4, 0, 2])
    assert float(loss(x[order], 9 - y[order])) == pytest.approx(float(loss(x, y)))


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
def test_a_step_downhill_draws_classes_together_and_apart(loss):
    x, y = batch(9, [0, 0, 0, 1, 1, 1])
    x.requires_grad_()
    before = loss(x, y)
    before.backward()
    with torch.no_grad():
        assert float(loss(x - 0.01 * x.grad / x.grad.norm(), y)) < float(before)


@pytest.mark.parametrize("loss", VARIANTS.values(), ids=VARIANTS)
def test_gradients_are_those_of_finite_differences(loss):
    x, y = batch(10, [0, 0, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda v: loss(v, y), x.requires_grad_())
