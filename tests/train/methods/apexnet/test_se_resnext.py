import pytest
import torch

from train.methods.apexnet.se_resnext import STANDARD, Bottleneck, SeResNeXt, SqueezeExcite

REN = (3, 3, 3, 3)  # table 1 of Ren et al. 2024


def published_shapes(blocks, classes):
    """Names and shapes of timm's seresnext50_32x4d, by rule: 32 groups of 4 channels, doubled by every stage."""
    shapes = {"conv1.weight": (64, 3, 7, 7)} | norm("bn1", 64)
    inputs = 64
    for stage, count in enumerate(blocks, 1):
        group = 4 * 2 ** (stage - 1)
        inner, outputs = 32 * group, 64 * group
        for block in range(count):
            at = f"layer{stage}.{block}"
            shapes |= {f"{at}.conv1.weight": (inner, inputs, 1, 1)} | norm(f"{at}.bn1", inner)
            shapes |= {f"{at}.conv2.weight": (inner, group, 3, 3)} | norm(f"{at}.bn2", inner)
            shapes |= {f"{at}.conv3.weight": (outputs, inner, 1, 1)} | norm(f"{at}.bn3", outputs)
            shapes |= {f"{at}.se.fc1.weight": (outputs // 16, outputs, 1, 1), f"{at}.se.fc1.bias": (outputs // 16,)}
            shapes |= {f"{at}.se.fc2.weight": (outputs, outputs // 16, 1, 1), f"{at}.se.fc2.bias": (outputs,)}
            if block == 0:
                shapes |= {f"{at}.downsample.0.weight": (outputs, inputs, 1, 1)} | norm(f"{at}.downsample.1", outputs)
            inputs = outputs
    return shapes | {"fc.weight": (classes, 2048), "fc.bias": (classes,)}


def norm(at, width):
    vectors = {f"{at}.{name}": (width,) for name in ("weight", "bias", "running_mean", "running_var")}
    return vectors | {f"{at}.num_batches_tracked": ()}


@pytest.mark.parametrize("blocks", [STANDARD, REN])
def test_names_and_shapes_are_those_of_the_public_checkpoint_and_of_the_papers_table(blocks):
    with torch.device("meta"):
        network = SeResNeXt(1000, blocks)
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published_shapes(blocks, 1000)
    layers = sum("downsample" not in name and name.count("conv") for name in network.state_dict()) + 1
    assert layers == {STANDARD: 50, REN: 38}[blocks]


def test_it_is_as_large_as_timms():
    with torch.device("meta"):
        network = SeResNeXt(1000)
    assert sum(p.numel() for p in network.parameters()) == 27_559_896


@pytest.mark.parametrize(
    ("grouped", "squeeze", "parameters"),
    [(True, True, 27_559_896), (True, False, 25_028_904), (False, False, 25_557_032)],
    ids=["se-resnext", "resnext", "resnet"],
)
def test_the_networks_that_it_is_held_against_are_as_large_as_torchvisions(grouped, squeeze, parameters):
    with torch.device("meta"):
        network = SeResNeXt(1000, grouped=grouped, squeeze=squeeze)
    assert sum(p.numel() for p in network.parameters()) == parameters
    widths = [network.get_submodule(f"layer{stage}.0.conv2").weight.shape for stage in (1, 4)]
    assert widths == ([(128, 4, 3, 3), (1024, 32, 3, 3)] if grouped else [(64, 64, 3, 3), (512, 512, 3, 3)])
    assert any(".se." in name for name in network.state_dict()) == squeeze


def test_the_squeeze_is_as_in_the_papers_table():
    with torch.device("meta"):
        network = SeResNeXt(5)
    found = [network.get_submodule(f"layer{stage}.0.se.fc1").weight.shape[:2] for stage in (1, 2, 3, 4)]
    assert found == [(16, 256), (32, 512), (64, 1024), (128, 2048)]


def test_the_stages_have_the_sizes_of_the_papers_table():
    with torch.device("meta"):
        network, x = SeResNeXt(5, REN), torch.empty(1, 3, 224, 224)
        x = network.conv1(x)
        assert x.shape[1:] == (64, 112, 112)
        x = network.maxpool(x)
        for stage, shape in enumerate([(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)], 1):
            x = network.get_submodule(f"layer{stage}")(x)
            assert x.shape[1:] == shape


def test_excitation_weighs_each_channel_by_the_means_of_all():
    torch.manual_seed(0)
    part = SqueezeExcite(32)
    x = torch.randn(2, 32, 5, 5)
    means = x.flatten(2).mean(2)
    first, second = part.fc1.weight[:, :, 0, 0], part.fc2.weight[:, :, 0, 0]
    weight = torch.sigmoid(torch.relu(means @ first.T + part.fc1.bias) @ second.T + part.fc2.bias)
    assert torch.allclose(part(x), x * weight[:, :, None, None], atol=1e-6)


def test_the_channels_are_weighed_before_the_shortcut_is_added():
    torch.manual_seed(1)
    block = Bottleneck(64, 64, 1).eval()
    block.se.fc2.weight.data.zero_()
    block.se.fc2.bias.data.fill_(-200.0)  # every weight 0: the shortcut alone is left
    x = torch.randn(1, 64, 4, 4)
    with torch.no_grad():
        assert torch.equal(block(x), x.relu())


def test_any_size_gives_a_feature_that_the_last_layer_judges():
    torch.manual_seed(2)
    network = SeResNeXt(5, dropout=0.5).eval()
    for side in (64, 96):
        with torch.no_grad():
            feature, logits = network(torch.rand(1, 3, side, side))
        assert feature.shape == (1, 2048)
        assert torch.equal(logits, network.fc(feature))


def test_it_can_be_exported():
    with torch.device("meta"):
        program = torch.export.export(SeResNeXt(5).eval(), (torch.empty(2, 3, 64, 64),))
    convolutions = sum(node.target is torch.ops.aten.conv2d.default for node in program.graph.nodes)
    assert convolutions == 1 + 16 * 5 + 4  # stem, three and the squeeze's two in each block, four shortcuts


def test_all_widths_are_in_proportion_to_the_groups():
    with torch.device("meta"):
        slim = SeResNeXt(4, (2, 2, 2, 2), 0.0, 8)
    assert slim.width == 512
    assert slim.layer1[0].conv2.weight.shape == (32, 4, 3, 3)
    assert slim.layer4[1].conv2.weight.shape == (256, 32, 3, 3)
    assert sum(p.numel() for p in slim.parameters()) == pytest.approx(1.08e6, rel=0.01)
    with torch.device("meta"):
        assert slim(torch.empty(1, 3, 80, 80))[0].shape == (1, 512)


def test_a_fresh_block_is_its_shortcut():
    torch.manual_seed(3)
    network, x = SeResNeXt(4, (1, 2, 1, 1), 0.0, 2).eval(), torch.rand(1, 32, 4, 4)
    with torch.no_grad():
        assert torch.equal(network.layer2[1](x), x)
