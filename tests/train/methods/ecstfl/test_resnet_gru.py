import pytest
import torch

from train.methods.ecstfl.resnet_gru import ResNetGru
from train.networks.resnet import ResNet18


def clips(count, length, seed=0, side=32):
    return torch.rand(count, 3, length, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ResNetGru(7, dropout=0.5).eval()


def test_its_parts_are_an_encoder_that_judges_nothing_a_unit_and_a_classifier(network):
    encoder = {f"encoder.{name}" for name in ResNet18(1).state_dict() if not name.startswith("fc.")}
    unit = {f"gru.{kind}_{side}_l0" for kind in ("weight", "bias") for side in ("ih", "hh")}
    assert set(network.state_dict()) == encoder | unit | {"fc.weight", "fc.bias"}
    wanted = 11_689_512 - 513_000 + 3 * 256 * (512 + 256 + 2) + 7 * 257  # resnet18 without fc, unit, classifier
    assert sum(p.numel() for p in network.parameters()) == wanted


def test_every_frame_is_embedded_on_its_own_and_in_order(network):
    x = clips(2, 3)
    with torch.no_grad():
        found = network.embed(x)
        assert found.shape == (2, 3, 512)
        for clip in range(2):
            assert torch.allclose(found[clip], network.encoder.embed(x[clip].transpose(0, 1)), atol=1e-5)


def test_the_feature_is_the_state_after_the_last_frame_and_the_logits_judge_it(network):
    with torch.no_grad():
        embeddings = network.embed(clips(2, 5))
        feature, logits = network.follow(embeddings)
        states, _ = network.gru(embeddings)
        whole = network(clips(2, 5))
    assert feature.shape == (2, 256)
    assert torch.equal(feature, states[:, -1])
    assert torch.equal(logits, network.fc(feature))
    assert torch.equal(whole[1], logits)


def test_the_order_of_the_frames_matters(network):
    embeddings = torch.randn(1, 6, 512, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert not torch.allclose(network.follow(embeddings)[1], network.follow(embeddings.flip(1))[1], atol=1e-3)


def test_every_parameter_is_trained():
    torch.manual_seed(1)
    network = ResNetGru(3)
    feature, logits = network(clips(2, 2))
    (feature.square().sum() + logits.square().sum()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_it_can_be_exported_for_any_number_of_clips(network):
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(network, (clips(2, 4),), dynamic_shapes=({0: batch},))
    x = clips(3, 4, seed=2)
    with torch.no_grad():
        for found, wanted in zip(program.module()(x), network(x), strict=True):
            assert torch.allclose(found, wanted, atol=1e-5)
