import pytest
import torch
from torch.nn import functional as F

from train.methods.ecstfl.c3d import C3D

CONVOLUTIONS = {"1": (3, 64), "2": (64, 128), "3a": (128, 256), "3b": (256, 256), "4a": (256, 512)}
CONVOLUTIONS |= dict.fromkeys(("4b", "5a", "5b"), (512, 512))
DENSE = {"fc6": (8192, 4096), "fc7": (4096, 4096), "fc8": (4096, 7)}


def published_shapes():
    """Names and shapes by the authors' table."""
    shapes = {}
    for layer, (inputs, outputs) in CONVOLUTIONS.items():
        shapes |= {f"conv{layer}.weight": (outputs, inputs, 3, 3, 3), f"conv{layer}.bias": (outputs,)}
        names = ("weight", "bias", "running_mean", "running_var")
        shapes |= {f"bn{layer}.{name}": (outputs,) for name in names} | {f"bn{layer}.num_batches_tracked": ()}
    for layer, (inputs, outputs) in DENSE.items():
        shapes |= {f"{layer}.weight": (outputs, inputs), f"{layer}.bias": (outputs,)}
    return shapes


def clips(count=1, seed=0, size=(16, 112, 112)):
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network():
    """Dense layers drawn by one cheap rule: torch's own draw of 50 million weights takes longer than all tests here."""
    with torch.device("meta"):
        network = C3D(7)
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            module.bias.data.zero_()
            module.weight.data.copy_(torch.arange(module.weight.numel()).view_as(module.weight) % 7 - 3).mul_(0.01)
        elif not isinstance(module, C3D | torch.nn.Dropout):
            module.reset_parameters()
    return network.eval()


def test_names_and_shapes_are_those_of_the_authors_checkpoints():
    with torch.device("meta"):
        network = C3D(7)
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published_shapes()
    convolutions = sum(27 * i * o + o + 2 * o for i, o in CONVOLUTIONS.values())
    wanted = convolutions + sum(i * o + o for i, o in DENSE.values())
    assert sum(p.numel() for p in network.parameters()) == wanted == 78_029_959


def test_sixteen_frames_of_112_px_end_as_4x4_and_other_sizes_are_refused():
    with torch.device("meta"):
        network, x = C3D(7), torch.empty(2, 3, 16, 112, 112)
        assert network.convolve(x).shape == (2, 512, 1, 4, 4)
        feature, logits = network(x)
        assert (feature.shape, logits.shape) == ((2, 4096), (2, 7))
        for size in ((32, 112, 112), (16, 224, 224)):
            with pytest.raises(RuntimeError, match="8192"):
                network(torch.empty(2, 3, *size))


def test_the_last_pooling_sees_the_corner_alone(network):
    seen = {}
    hook = network.bn5b.register_forward_hook(lambda module, inputs, output: seen.update(last=output))
    with torch.no_grad():
        pooled = network.convolve(clips())
    hook.remove()
    before = F.relu(seen["last"])  # (1, 512, 2, 7, 7)
    assert torch.equal(pooled[0, :, 0, 0, 0], before[0, :, :, 0, 0].amax(1))
    assert torch.equal(pooled[0, :, 0, 3, 1], before[0, :, :, 5:7, 1:3].amax((1, 2, 3)))


def test_the_feature_is_fc7_after_its_relu_and_before_its_dropout(network):
    x = clips(seed=1)
    with torch.no_grad():
        feature, logits = network(x)
        hidden = F.relu(network.fc6(network.convolve(x).flatten(1)))
        assert torch.equal(feature, F.relu(network.fc7(hidden)))
        assert torch.equal(logits, network.fc8(feature))
    assert float(feature.min()) == 0.0 < float(feature.max())


def test_dropout_lies_behind_fc6_and_behind_the_feature(network, monkeypatch):
    dropped = []
    monkeypatch.setattr(network.dropout, "forward", lambda x: dropped.append(x) or torch.zeros_like(x))
    with torch.no_grad():
        feature, logits = network(clips(seed=2))
    assert [tuple(x.shape) for x in dropped] == [(1, 4096), (1, 4096)]
    assert dropped[1] is feature
    assert torch.equal(logits[0], network.fc8.bias)


def test_it_can_be_exported():
    with torch.device("meta"):
        program = torch.export.export(C3D(7).eval(), (torch.empty(1, 3, 16, 112, 112),))
    assert sum(node.target is torch.ops.aten.conv3d.default for node in program.graph.nodes) == 8
