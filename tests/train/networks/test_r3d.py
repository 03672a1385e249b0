import torch

from train.networks.r3d import R3D18


def published_shapes(classes):
    """Names and shapes of torchvision's video.r3d_18, by rule."""
    shapes = norm("stem.1", 64) | {"stem.0.weight": (64, 3, 3, 7, 7)}
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            at = f"layer{stage}.{block}"
            shapes |= {f"{at}.conv1.0.weight": (outputs, inputs, 3, 3, 3)} | norm(f"{at}.conv1.1", outputs)
            shapes |= {f"{at}.conv2.0.weight": (outputs, outputs, 3, 3, 3)} | norm(f"{at}.conv2.1", outputs)
            if inputs != outputs:
                shapes |= {f"{at}.downsample.0.weight": (outputs, inputs, 1, 1, 1)} | norm(
                    f"{at}.downsample.1", outputs
                )
            inputs = outputs
    return shapes | {"fc.weight": (classes, 512), "fc.bias": (classes,)}


def norm(at, width):
    vectors = {f"{at}.{name}": (width,) for name in ("weight", "bias", "running_mean", "running_var")}
    return vectors | {f"{at}.num_batches_tracked": ()}


def test_names_and_shapes_are_those_of_the_public_checkpoint():
    with torch.device("meta"):
        network = R3D18(400)
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published_shapes(400)
    assert sum(p.numel() for p in network.parameters()) == 33_371_472  # torchvision's r3d_18


def test_time_is_halved_three_times_and_the_side_four_times():
    with torch.device("meta"):
        network, x = R3D18(7), torch.empty(1, 3, 16, 112, 112)
        x = network.stem(x)
        assert x.shape[2:] == (16, 56, 56)
        for stage, size in (("layer1", (16, 56)), ("layer2", (8, 28)), ("layer3", (4, 14)), ("layer4", (2, 7))):
            x = network.get_submodule(stage)(x)
            assert x.shape[2:] == (size[0], size[1], size[1])


def test_any_clip_gives_a_feature_that_the_last_layer_judges():
    network = R3D18(7, dropout=0.5).eval()
    for size in ((4, 32, 32), (7, 48, 48)):
        x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            feature, logits = network(x)
        assert feature.shape == (2, 512)
        assert torch.equal(logits, network.fc(feature))
        assert float(feature.min()) >= 0.0


def test_a_shortcut_carries_the_input_past_silenced_convolutions():
    block = R3D18(7).layer1[0].eval()
    block.conv2[1].weight.data.zero_()
    x = torch.randn(1, 64, 2, 4, 4, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.equal(block(x), x.relu())


def test_it_can_be_exported():
    with torch.device("meta"):
        program = torch.export.export(R3D18(7).eval(), (torch.empty(2, 3, 4, 32, 32),))
    assert sum(node.target is torch.ops.aten.conv3d.default for node in program.graph.nodes) == 20
