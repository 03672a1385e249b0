"""Attention and how far its maps are apart, against loops over every position."""

import math

import pytest
import torch

from train.methods.menet.attention import DiverseAttention, GlobalAttention
from train.methods.menet.divergence import divergence


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_each_map_is_a_softmax_over_all_positions_and_sees_their_mean_by_it():
    torch.manual_seed(1)
    layer, x = DiverseAttention(3, 2), drawn(2, 3, 2, 2, 3)
    with torch.no_grad():
        seen, maps = layer(x)
        assert (seen.shape, maps.shape) == ((2, 6), (2, 2, 12))
        weight, bias = layer.conv.weight[:, :, 0, 0, 0], layer.conv.bias
        places = [(t, h, w) for t in range(2) for h in range(2) for w in range(3)]
        for clip in range(2):
            for each in range(2):
                scores = [
                    float(bias[each]) + sum(float(weight[each, c]) * float(x[clip, c, t, h, w]) for c in range(3))
                    for t, h, w in places
                ]
                total = sum(map(math.exp, scores))
                share = [math.exp(score) / total for score in scores]
                assert maps[clip, each].tolist() == pytest.approx(share, abs=1e-6)
                for c in range(3):
                    mean = sum(s * float(x[clip, c, t, h, w]) for s, (t, h, w) in zip(share, places, strict=True))
                    assert float(seen[clip, 3 * each + c]) == pytest.approx(mean, abs=1e-5)


def test_global_attention_is_the_mean_over_a_gated_picture():
    torch.manual_seed(2)
    layer, x = GlobalAttention(8), drawn(1, 8, 2, 3)
    with torch.no_grad():
        found = layer(x)
        mean = [sum(float(x[0, c, h, w]) for h in range(2) for w in range(3)) / 6 for c in range(8)]
        few = [
            max(float(layer.squeeze.bias[k]) + sum(float(layer.squeeze.weight[k, c]) * mean[c] for c in range(8)), 0.0)
            for k in range(2)
        ]
        for c in range(8):
            inner = float(layer.excite.bias[c]) + sum(float(layer.excite.weight[c, k]) * few[k] for k in range(2))
            gate = 1 / (1 + math.exp(-inner))
            gated = sum(gate * float(x[0, c, h, w]) for h in range(2) for w in range(3)) / 6
            assert float(found[0, c]) == pytest.approx(gated, abs=1e-6)


def test_divergence_is_the_mean_overlap_of_all_pairs_of_maps():
    maps = drawn(2, 3, 5).softmax(2)
    total = 0.0
    for clip in maps.tolist():
        unit = [[value / math.sqrt(sum(v * v for v in each)) for value in each] for each in clip]
        pairs = [(h, g) for h in range(3) for g in range(h + 1, 3)]
        total += 2 / (3 * 2) * sum(sum(a * b for a, b in zip(unit[h], unit[g], strict=True)) for h, g in pairs)
    assert float(divergence(maps)) == pytest.approx(total / 2, abs=1e-6)


def test_maps_that_share_no_place_cost_nothing_and_equal_ones_cost_one():
    apart = torch.eye(3)[None]
    assert float(divergence(apart)) == 0.0
    assert float(divergence(apart[:, :1].expand(-1, 3, -1))) == pytest.approx(1.0)


def test_made_small_it_moves_maps_apart():
    maps = (0.01 * drawn(1, 3, 6)).requires_grad_()
    before = float(divergence(maps.detach().softmax(2)))
    for _ in range(300):
        (gradient,) = torch.autograd.grad(divergence(maps.softmax(2)), maps)
        maps = (maps - 5.0 * gradient).detach().requires_grad_()
    after = maps.detach().softmax(2)
    assert before > 0.99
    assert float(divergence(after)) < 0.1
    assert len(set(after.argmax(2).flatten().tolist())) == 3
