import pytest
import torch

from train.networks.shallow3d import Shallow3d, misfit


def spot(row, column):
    """A clip in which one place is bright."""
    x = torch.zeros(1, 2, 8, 32, 32)
    x[..., row : row + 4, column : column + 4] = 1.0
    return x


def told_apart(cells):
    """How far two clips come out that differ in where something is, far from any border."""
    torch.manual_seed(1)
    network = Shallow3d(2, (4, 4, 4), 16, 32, cells).eval()
    with torch.no_grad():
        one, other = (network.pool(network.layers(spot(14, at)).mean(2)).flatten(1) for at in (10, 18))
    return float((one - other).abs().max() / one.abs().max())


def test_every_layer_halves_time_and_side():
    network = Shallow3d(2, (4, 6, 8), 16, 32, 4).eval()
    x = torch.randn(3, 2, 16, 32, 32)
    assert network.layers(x).shape == (3, 8, 2, 4, 4)
    found = network(x).detach()
    assert found.shape == (3, 16)
    assert float(found.min()) >= 0.0


def test_a_grid_keeps_where_something_is_and_the_global_average_forgets_it():
    assert told_apart(4) > 0.1
    assert told_apart(1) < 1e-5


@pytest.mark.parametrize(("frames", "side", "cells"), [(7, 32, 4), (8, 30, 1), (8, 32, 3), (8, 16, 4)])
def test_clips_that_do_not_fit_are_named(frames, side, cells):
    assert misfit(3, 8, 32, 4) is None
    found = misfit(3, frames, side, cells)
    assert found is not None
    assert f"{frames} frames of {side} px" in found
    assert f"a side that {8 * cells} divides" in found
