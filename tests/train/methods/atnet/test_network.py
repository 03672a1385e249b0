"""Two streams, each of which ends in a vector of length 1, and what is left of them when one is left out."""

import pytest
import torch

from train.methods.atnet.network import AtNet, FlowInTime

IMAGES = torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(1))
FLOW = torch.rand(2, 6, 10, generator=torch.Generator().manual_seed(2))


def made(streams="both"):
    torch.manual_seed(1)
    return AtNet(3, streams, 8, 10, 16, 0.5).eval()


def test_the_authors_network_has_512_features_of_either_stream():
    with torch.device("meta"):
        network = AtNet(5, "both", 64, 128, 512, 0.5)
    assert network.fc.in_features == 1024
    shapes = [tuple(network.time.first.weight_ih_l0.shape), tuple(network.time.second.weight_ih_l0.shape)]
    assert shapes == [(4 * 512, 128), (4 * 512, 512)]
    assert not any("attention" in name for name, _ in network.named_parameters())


@torch.no_grad()
def test_time_is_the_mean_state_of_the_second_layer_brought_to_length_1():
    torch.manual_seed(1)
    stream = FlowInTime(10, 16)
    h, c, g, d = (torch.zeros(2, 16) for _ in range(4))
    total = torch.zeros(2, 16)
    cells = [torch.nn.LSTMCell(10, 16), torch.nn.LSTMCell(16, 16)]
    for cell, layer in zip(cells, (stream.first, stream.second), strict=True):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(getattr(layer, f"{name}_l0"))
    for t in range(6):
        h, c = cells[0](FLOW[:, t], (h, c))
        g, d = cells[1](h, (g, d))
        total += g
    mean = total / 6
    torch.testing.assert_close(stream(FLOW), mean / mean.square().sum(1, keepdim=True).sqrt())


@torch.no_grad()
def test_both_streams_are_joined_and_the_last_layer_judges_them():
    network = made()
    logits, feature = network(IMAGES, FLOW)
    torch.testing.assert_close(feature, torch.cat([network.picture.embed(IMAGES), network.time(FLOW)], 1))
    torch.testing.assert_close(feature.square().sum(1), torch.full((2,), 2.0))
    assert torch.equal(logits, network.fc(feature))


@pytest.mark.parametrize(("streams", "features"), [("apex", 64), ("time", 16)])
@torch.no_grad()
def test_one_stream_alone_does_not_look_at_the_others_input(streams, features):
    network = made(streams)
    logits, feature = network(IMAGES, FLOW)
    assert feature.shape == (2, features)
    other = network(IMAGES.flip(2) if streams == "time" else IMAGES, FLOW.flip(1) if streams == "apex" else FLOW)
    assert torch.equal(other[0], logits)
    own = network(IMAGES.flip(2) if streams == "apex" else IMAGES, FLOW.flip(1) if streams == "time" else FLOW)
    assert not torch.allclose(own[0], logits)
    assert len({name.split(".")[0] for name, _ in network.named_parameters()}) == 2


@torch.no_grad()
def test_the_order_of_the_steps_counts():
    assert not torch.allclose(made()(IMAGES, FLOW)[0], made()(IMAGES, FLOW.flip(1))[0], atol=1e-4)
