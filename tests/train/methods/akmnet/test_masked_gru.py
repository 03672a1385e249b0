"""Passing over steps is what cutting them out is, in either direction and in any number of layers."""

import pytest
import torch
from torch import nn

from train.methods.akmnet.masked_gru import BothWays, MaskedGru
from train.methods.akmnet.passing_gru import SHUT, passing

FRAMES, INPUTS, HIDDEN = 7, 5, 3
MASKS = [
    [1, 1, 1, 1, 1, 1, 1],
    [0, 1, 0, 0, 1, 1, 0],
    [1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
]


@pytest.fixture
def x():
    return torch.randn(len(MASKS), FRAMES, INPUTS, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def mask():
    return torch.tensor(MASKS, dtype=torch.float32)[..., None]


def filled(unit, weights):
    """`unit` with one layer and direction of torch's weights."""
    reads, recalls, read_bias, recall_bias = weights
    with torch.no_grad():
        for mine, theirs in ((unit.reads, (reads, read_bias)), (unit.recalls, (recalls, recall_bias))):
            mine.weight.copy_(theirs[0])
            mine.bias.copy_(theirs[1])
    return unit


@pytest.mark.parametrize("backward", [False, True])
def test_masked_steps_are_steps_cut_out(x, mask, backward):
    theirs = nn.GRU(INPUTS, HIDDEN, batch_first=True)
    mine = filled(MaskedGru(INPUTS, HIDDEN, FRAMES, backward=backward), theirs.all_weights[0])
    states = mine(x, mask)
    for row, kept in enumerate(MASKS):
        places = [t for t in range(FRAMES) if kept[t]]
        alone = x[row : row + 1, places]
        wanted = theirs(alone.flip(1))[0].flip(1) if backward else theirs(alone)[0]
        torch.testing.assert_close(states[row, places], wanted[0])


def test_layers_in_both_directions_are_torchs_over_the_chosen_steps(x, mask):
    theirs = nn.GRU(INPUTS, HIDDEN, 2, batch_first=True, bidirectional=True)
    mine = BothWays(INPUTS, HIDDEN, FRAMES, 2)
    for layer in range(2):
        filled(mine.onwards[layer], theirs.all_weights[2 * layer])
        filled(mine.backwards[layer], theirs.all_weights[2 * layer + 1])
    states = mine(x, mask)
    for row, kept in enumerate(MASKS):
        places = [t for t in range(FRAMES) if kept[t]]
        torch.testing.assert_close(states[row, places], theirs(x[row : row + 1, places])[0][0])


def test_a_step_that_is_passed_over_keeps_the_state_and_changes_nothing(x, mask):
    unit = MaskedGru(INPUTS, HIDDEN, FRAMES, backward=False)
    states, other = unit(x, mask), unit(torch.where(mask > 0, x, x + 100.0), mask)
    assert torch.equal(states, other)
    assert torch.equal(states[1, 0], torch.zeros(HIDDEN))
    assert torch.equal(states[1, 2], states[1, 1])


def test_one_layer_a_direction_gives_what_the_steps_give(x, mask):
    torch.manual_seed(3)
    steps = nn.ModuleDict({"places": BothWays(INPUTS, HIDDEN, FRAMES, 2)})
    layers = passing(steps)
    assert not any(isinstance(module, MaskedGru) for module in layers.modules())
    assert any(isinstance(module, MaskedGru) for module in steps.modules())
    with torch.no_grad():
        torch.testing.assert_close(layers["places"](x, mask), steps["places"](x, mask), atol=1e-6, rtol=1e-5)


def test_a_gate_that_is_shut_lets_nothing_through_in_either_precision():
    for kind in (torch.float32, torch.float16):
        assert torch.sigmoid(torch.tensor([SHUT - 20.0], dtype=kind)).item() == 1.0
