import pytest
import torch
from torch import nn

from train.networks.resnet import ResNet10, ResNet18


def test_names_and_size_are_those_of_the_public_checkpoints():
    network = ResNet18(1000)
    assert sum(p.numel() for p in network.parameters()) == 11_689_512  # torchvision's resnet18
    names = set(network.state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv2.weight", "layer4.1.bn2.bias", "fc.bias"} <= names
    assert {"layer2.0.downsample.0.weight", "layer4.0.downsample.1.num_batches_tracked"} <= names
    assert len(names) == 122


def multiply_adds(network, side):
    """Of all convolutions for one picture."""
    counted = []

    def count(layer, _, output):
        counted.append(output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    network.eval()(torch.zeros(1, 3, side, side))
    return sum(counted)


def test_the_small_one_does_an_eighth_of_the_work():
    assert multiply_adds(ResNet10(8), 64) == pytest.approx(44e6, rel=0.01)
    assert multiply_adds(ResNet18(8), 96) == pytest.approx(334e6, rel=0.01)
    assert sum(p.numel() for p in ResNet10(8).parameters()) == pytest.approx(1.77e6, rel=0.01)


@pytest.mark.parametrize("kind", [ResNet10, ResNet18])
def test_any_size_gives_an_embedding_that_the_last_layer_judges(kind):
    network = kind(8, dropout=0.5).eval()
    for side in (64, 96):
        x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(side))
        with torch.no_grad():
            embedding, logits = network(x)
        assert embedding.shape == (2, kind.width)
        assert torch.equal(logits, network.fc(embedding))
        assert float(embedding.min()) >= 0.0


def test_dropout_touches_the_logits_alone():
    network = ResNet18(8, dropout=0.9)
    network.eval()
    network.dropout.train()
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    with torch.no_grad():
        (a, p), (b, q) = network(x), network(x)
    assert torch.equal(a, b)
    assert not torch.equal(p, q)
