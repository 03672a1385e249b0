import torch

from train.networks.resnet import ResNet18


def test_names_and_size_are_those_of_the_public_checkpoints():
    network = ResNet18(1000)
    assert sum(p.numel() for p in network.parameters()) == 11_689_512  # torchvision's resnet18
    names = set(network.state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv2.weight", "layer4.1.bn2.bias", "fc.bias"} <= names
    assert {"layer2.0.downsample.0.weight", "layer4.0.downsample.1.num_batches_tracked"} <= names
    assert len(names) == 122


def test_any_size_gives_an_embedding_that_the_last_layer_judges():
    network = ResNet18(8, dropout=0.5).eval()
    for side in (64, 96):
        x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(side))
        with torch.no_grad():
            embedding, logits = network(x)
        assert embedding.shape == (2, 512)
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
