import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from train.networks.preactivation import MicroAttention, PreactivationNetwork, PreactivationUnit


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_attention_is_the_sigmoid_of_a_mean_over_channels_of_one_convolution():
    torch.manual_seed(1)
    layer, three = MicroAttention(2), [drawn(1, 2, 2, 3, seed=seed) for seed in range(3)]
    with torch.no_grad():
        found = layer(*three)
        weight, bias = layer.conv.weight[:, :, 0, 0], layer.conv.bias
        assert found.shape == (1, 1, 2, 3)
        for row in range(2):
            for column in range(3):
                seen = [float(x[0, channel, row, column]) for x in three for channel in range(2)]
                total = 0.0
                for out in range(2):  # the second convolution, whose weights are all 1 / C
                    made = float(bias[out]) + sum(float(weight[out, k]) * seen[k] for k in range(6))
                    total += made * (1 / 2)
                assert float(found[0, 0, row, column]) == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-6)


def test_the_mean_over_channels_is_never_learned():
    assert [name for name, _ in MicroAttention(64).named_parameters()] == ["conv.weight", "conv.bias"]


@pytest.mark.parametrize("attention", [True, False])
def test_a_unit_is_its_sum_times_one_more_than_the_attention(attention):
    torch.manual_seed(2)
    unit = PreactivationUnit(4, 8, 2, activated=False, attention=attention).eval()
    x = drawn(2, 4, 6, 6)
    with torch.no_grad():
        active = F.relu(unit.before[0](x))
        shortcut, first = unit.expand(active), unit.conv1(active)
        second = unit.conv2(F.relu(unit.bn2(first)))
        mask = unit.attention(shortcut, first, second) if attention else torch.zeros(())
        torch.testing.assert_close(unit(x), (shortcut + second) * (1 + mask))


def test_the_first_unit_passes_on_what_it_was_given_and_the_others_widen_it():
    units = PreactivationNetwork(3, attention=True).units
    assert [unit.conv1.out_channels for unit in units] == [64, 128, 256, 512]
    assert [unit.conv1.stride[0] for unit in units] == [1, 2, 2, 2]
    assert [unit.expand is None for unit in units] == [True, False, False, False]
    assert isinstance(units[0].before, nn.Identity)
    assert not any(isinstance(unit.before, nn.Identity) for unit in units[1:])


def test_the_feature_has_length_one_and_the_last_layer_judges_it():
    network = PreactivationNetwork(5, attention=True, width=8, dropout=0.5).eval()
    for side in (64, 96):
        with torch.no_grad():
            feature, logits = network(drawn(2, 1, side, side))
        assert feature.shape == (2, network.width)
        assert torch.allclose(feature.norm(dim=1), torch.ones(2))
        assert torch.equal(logits, network.fc(feature))


def test_maps_of_the_authors_picture_end_with_seven_by_seven():
    network = PreactivationNetwork(5, attention=False, width=8).eval()
    seen = []
    network.units.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape)))
    network(torch.zeros(1, 1, 224, 224))
    assert seen == [(1, 64, 7, 7)]


def test_attention_costs_three_numbers_for_each_pair_of_channels():
    """The convolution of 3C to C channels of every unit, and its bias."""
    with_it, without = (
        sum(p.numel() for p in PreactivationNetwork(5, attention=attention).parameters()) for attention in (True, False)
    )
    assert with_it - without == sum(3 * c * c + c for c in (64, 128, 256, 512))


def test_light_and_contrast_of_a_batch_make_no_difference():
    """While it learns, its first layer normalises what it is shown."""
    network, x = PreactivationNetwork(3, attention=True, width=8).train(), drawn(4, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(0.2 * x + 3)[0], network(x)[0], atol=1e-3, rtol=1e-3)
