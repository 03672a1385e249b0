"""The network over whole films, and tick by tick as it serves."""

import pytest
import torch

from train.methods.spotter.network import OUTPUTS, SpotterNet, SpotterStep

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def network():
    torch.manual_seed(2)
    made = SpotterNet(11, 6, members=2, dropout=0.5).eval()
    for parameter in made.parameters():
        parameter.data.mul_(3.0)  # so that its gates are not all half open
    return made


def test_tick_by_tick_it_says_what_it_says_of_the_whole(network):
    ticks, step = torch.randn(3, 20, 11), SpotterStep(network)
    memory, told = torch.zeros(3, 12), []
    with torch.no_grad():
        for number in range(20):
            logits, memory = step(torch.cat([memory, ticks[:, number]], 1))
            told.append(logits)
        wanted = network(ticks)
    assert wanted.shape == (2, 3, 20, OUTPUTS)
    torch.testing.assert_close(torch.stack(told, 1), wanted.mean(0), rtol=0, atol=1e-5)
    assert float(wanted.std()) > 0.1


def test_what_comes_later_changes_nothing_before(network):
    ticks = torch.randn(1, 20, 11)
    other = torch.cat([ticks[:, :12], torch.randn(1, 8, 11)], 1)
    with torch.no_grad():
        assert torch.equal(network(ticks)[:, :, :12], network(other)[:, :, :12])
        assert not torch.allclose(network(ticks)[:, :, 12:], network(other)[:, :, 12:], atol=1e-3)


def test_members_are_of_different_minds(network):
    one, other = network(torch.randn(1, 20, 11))
    assert not torch.allclose(one, other, atol=1e-2)


def test_a_step_leaves_the_network_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    SpotterStep(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
