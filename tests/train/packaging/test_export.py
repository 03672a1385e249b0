import subprocess

import msgspec
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from realtime.engine.check import CheckReport, Difference, check, difference
from realtime.engine.package.manifest import GOLDEN, MANIFEST, MODEL, load
from realtime.errors import EngineError
from train.methods.ecstfl import c3d
from train.methods.ecstfl.resnet_gru import ResNetGru
from train.networks.r3d import BasicBlock3d
from train.packaging import export as export_module
from train.packaging.export import export
from train.packaging.graph import half, rounded, to_onnx
from train.packaging.model_card import CARD
from train.storage.commit import commit

replace = msgspec.structs.replace


class DiffersWhenExported(nn.Module):
    """A network whose graph is not what torch computes, as with a broken converter."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * 32 * 32, 8)

    def forward(self, images):
        logits = self.fc(images.flatten(1))
        return images.mean((2, 3)), logits * 1.001 if torch.compiler.is_exporting() else logits


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_package_holds_torchs_answers_and_what_was_said_of_it(encoder_parts, packages):
    draft = encoder_parts[3]
    manifest = load(packages / "encoder")
    assert all(
        getattr(manifest, field) == getattr(draft, field) for field in draft.__struct_fields__ if field != "card"
    )
    assert sorted(contents(packages / "encoder")) == sorted([MODEL, GOLDEN, MANIFEST, CARD])
    golden = np.load(packages / "encoder" / GOLDEN)
    with torch.no_grad():
        exact = encoder_parts[0].eval()(torch.from_numpy(golden["in_images"]).float())
    for name, tensor in zip(encoder_parts[2], exact, strict=True):
        np.testing.assert_allclose(golden[f"out_{name}"], tensor.numpy(), rtol=1e-2, atol=1e-3)


def test_a_second_export_finds_the_network_as_it_was_and_makes_the_same_file(encoder_parts, packages, tmp_path):
    network = encoder_parts[0].train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    again = export(*encoder_parts, tmp_path / "encoder")
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert again.files[MODEL] == load(packages / "encoder").files[MODEL]


def test_large_weights_are_half_and_arithmetic_is_not(packages):
    for name, large in (("encoder", 1), ("head", 2)):
        model = onnx.load(packages / name / MODEL)
        kinds = {weight.name: weight.data_type for weight in model.graph.initializer if np.prod(weight.dims) > 256}
        assert set(kinds.values()) == {onnx.TensorProto.FLOAT16}
        assert len(kinds) == large
        casts = {node.input[0] for node in model.graph.node if node.op_type == "Cast"}
        assert set(kinds) <= casts
        users = [node.op_type for node in model.graph.node if set(kinds) & set(node.input)]
        assert set(users) == {"Cast"}


def test_half_precision_computes_in_it_between_float32(encoder_parts, tmp_path, engines):
    *parts, draft = encoder_parts
    made = export(*parts, replace(draft, precision="fp16"), tmp_path / "encoder")
    assert made.precision == "fp16"
    graph = onnx.load(tmp_path / "encoder" / MODEL).graph
    short, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert {weight.data_type for weight in graph.initializer} <= {short, onnx.TensorProto.INT64}
    assert {port.type.tensor_type.elem_type for port in (*graph.input, *graph.output)} == {single}
    casts = [onnx.helper.get_attribute_value(n.attribute[0]) for n in graph.node if n.op_type == "Cast"]
    assert sorted(casts) == sorted([short, single, single])  # the input, the two outputs, and nothing between
    report = check(tmp_path / "encoder", engines)
    assert report.ok
    assert {each.bar for each in report.differences} == {1e-2}


def test_half_precision_leaves_the_network_as_it_was(encoder_parts):
    network = encoder_parts[0].eval()
    halved, x = half(network), encoder_parts[1]["images"]
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert {weight.dtype for weight in halved.parameters()} == {torch.float16}
    with torch.no_grad():
        for found, wanted in zip(halved(x), network(x), strict=True):
            assert found.dtype == torch.float32
            assert 1e-6 < float((found - wanted).norm() / wanted.norm()) < 1e-2


def test_what_half_precision_cannot_hold_is_refused_by_name(encoder_parts, tmp_path):
    class Loud(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3 * 32 * 32, 8)

        def forward(self, images):
            return self.fc(images.flatten(1)) * 1e6

    draft = replace(encoder_parts[3], precision="fp16")
    with pytest.raises(EngineError, match="logits differs by"):
        export(Loud(), encoder_parts[1], ["logits"], draft, tmp_path / "loud")
    assert list(tmp_path.iterdir()) == []


def test_a_file_tells_nothing_of_the_machine_that_made_it(packages):
    for name in ("encoder", "head"):
        blob = (packages / name / MODEL).read_bytes()
        assert b"site-packages" not in blob
        assert str(export_module.ROOT).encode() not in blob


def test_folding_changes_no_answer(encoder_parts):
    network, example = encoder_parts[0].eval(), encoder_parts[1]["images"]
    folded = rounded(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        for before, after in zip(network(example), folded(example), strict=True):
            assert float((before - after).norm() / before.norm()) < 1e-3


def test_weights_are_rounded_once_and_small_ones_never():
    linear = nn.Linear(20, 20)
    deployed = rounded(linear)
    assert torch.equal(deployed.weight, linear.weight.half().float())
    assert torch.equal(deployed.bias, linear.bias)


def test_the_graph_takes_any_batch(packages):
    graph = onnx.load(packages / "head" / MODEL).graph
    assert [axis.dim_param or axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim] == ["batch", 6, 16]
    found = onnx.reference.ReferenceEvaluator(str(packages / "head" / MODEL))
    assert [len(found.run(None, {"embeddings": np.zeros((n, 6, 16), np.float32)})[0]) for n in (1, 3)] == [1, 3]


def test_a_graph_that_answers_otherwise_is_refused_by_name_and_nothing_is_written(encoder_parts, tmp_path):
    with pytest.raises(EngineError) as caught:
        export(DiffersWhenExported(), *encoder_parts[1:], tmp_path / "encoder")
    assert [reason.split(" differs by 1.0e-03 ")[0] for reason in caught.value.reasons] == ["logits"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bar", "told"), [(1e-4, r"logits differs by 5\.0e-01 in openvino"), (1.0, r"logits keeps 97\.0% of the labels in")]
)
def test_a_runtime_that_answers_otherwise_is_refused_and_the_old_package_stays(
    encoder_parts, encoder_folder, monkeypatch, bar, told
):
    before = contents(encoder_folder)
    bad = (Difference("logits", 1.0, 1.0, 0.5, bar, 0.97, ok=False),)
    monkeypatch.setattr(
        export_module, "check", lambda *_: CheckReport("encoder", "openvino", "f32", bad, 1.0, ok=False)
    )
    with pytest.raises(EngineError, match=told):
        export(*encoder_parts, encoder_folder)
    assert contents(encoder_folder) == before
    assert list(encoder_folder.parent.iterdir()) == [encoder_folder]


def test_weights_that_float16_cannot_hold_are_refused(encoder_parts, tmp_path):
    class Loud(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3 * 32 * 32, 8)
            nn.init.constant_(self.fc.weight, 1e5)

        def forward(self, images):
            return self.fc(images.flatten(1))

    with pytest.raises(EngineError, match="with its weights rounded to float16"):
        export(Loud(), encoder_parts[1], ["logits"], encoder_parts[3], tmp_path / "loud")


@pytest.mark.promise(
    "an export is killed at any step",
    "the old package stays whole",
    "2 moments of 2",
)
@pytest.mark.parametrize("moment", ["_save_golden", "move"])
def test_a_killed_export_leaves_the_old_package(encoder_parts, encoder_folder, monkeypatch, moment):
    def kill(*_):
        raise KeyboardInterrupt

    before = contents(encoder_folder)
    monkeypatch.setattr(export_module, moment, kill)
    with pytest.raises(KeyboardInterrupt):
        export(*encoder_parts, encoder_folder)
    assert contents(encoder_folder) == before
    assert list(encoder_folder.parent.iterdir()) == [encoder_folder]


def test_a_new_package_replaces_the_old_one_whole(encoder_parts, encoder_folder, engines):
    (encoder_folder / "stale.txt").write_text("")
    *parts, draft = encoder_parts
    export(*parts, replace(draft, scores=()), encoder_folder)
    assert load(encoder_folder).scores == ()
    assert check(encoder_folder, engines).ok
    assert list(encoder_folder.parent.iterdir()) == [encoder_folder]


@pytest.mark.parametrize(
    "example",
    [
        {"pictures": torch.zeros(4, 3, 32, 32)},
        {"images": torch.zeros(4, 3, 32, 31)},
        {"images": torch.zeros(1, 3, 32, 32)},
        {"images": torch.zeros(4, 3, 32, 32), "more": torch.zeros(4)},
        {},
    ],
    ids=["name", "shape", "one row", "two inputs", "none"],
)
def test_golden_inputs_must_be_what_the_representation_makes(encoder_parts, tmp_path, example):
    network, _, outputs, draft = encoder_parts
    with pytest.raises(EngineError, match=r"give images \[-1, 3, 32, 32\], at least 2 rows"):
        export(network, example, outputs, draft, tmp_path / "encoder")


def test_every_output_needs_a_name(encoder_parts, tmp_path):
    network, example, _, draft = encoder_parts
    with pytest.raises(EngineError, match="returns 2 tensors"):
        export(network, example, ["logits"], draft, tmp_path / "encoder")


def test_an_unknown_vocabulary_makes_no_package(encoder_parts, tmp_path):
    *parts, draft = encoder_parts
    with pytest.raises(EngineError, match="vocabulary 'moods' is none of"):
        export(*parts, replace(draft, vocabulary="moods"), tmp_path / "encoder")
    assert list(tmp_path.iterdir()) == []


def test_labels_in_another_order_than_their_vocabularys_make_no_package(encoder_parts, tmp_path):
    *parts, draft = encoder_parts
    with pytest.raises(EngineError, match="ferplus-8 has"):
        export(*parts, replace(draft, labels=draft.labels[::-1]), tmp_path / "encoder")
    assert list(tmp_path.iterdir()) == []


class Residual3d(nn.Module):
    """What R3D-18 is made of: a block that halves time and side, a shortcut, a mean over both."""

    def __init__(self):
        super().__init__()
        self.block = BasicBlock3d(3, 8, 2)

    def forward(self, clips):
        return nn.functional.adaptive_avg_pool3d(self.block(clips), 1).flatten(1)


class Padded3d(nn.Module):
    """What C3D is made of: a biased convolution, its normalisation, poolings in space alone and padded in space."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = c3d._layer(3, 8)

    def forward(self, clips):
        x = nn.functional.max_pool3d(nn.functional.relu(self.norm(self.conv(clips))), (1, 2, 2))
        return nn.functional.max_pool3d(x, 2, padding=(0, 1, 1)).flatten(1)


class Frames(nn.Module):
    """A picture's encoder in the place of ResNet-18."""

    def embed(self, x):
        return x.mean((2, 3)).repeat(1, 171)[:, :512]


class Recurrent(ResNetGru):
    """The network of embeddings, whose encoder is quick."""

    def __init__(self):
        super().__init__(3)
        self.encoder = Frames()

    def forward(self, clips):
        return super().forward(clips)[1]


@pytest.mark.parametrize("kind", [Residual3d, Padded3d, Recurrent])
def test_the_parts_of_networks_of_clips_answer_the_same_as_a_graph_whatever_the_batch(kind):
    torch.manual_seed(1)
    network = kind().eval()
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm3d)):
        norm.running_mean.uniform_(-0.5, 0.5)
        norm.running_var.uniform_(0.5, 2.0)
    deployed, clips = rounded(network), torch.randn(3, 3, 4, 8, 8)
    assert not any(isinstance(module, nn.BatchNorm3d) for module in deployed.modules())
    graph = to_onnx(deployed, {"clips": clips[:2]}, ["logits"])
    reference = onnx.reference.ReferenceEvaluator(graph)
    with torch.no_grad():
        wanted = deployed(clips).numpy()
        assert difference("logits", wanted, network(clips).numpy(), 1e-2).ok
    for rows in (1, 3):
        [found] = reference.run(None, {"clips": clips[:rows].numpy()})
        assert difference("logits", found, wanted[:rows], 1e-5).ok


def test_a_network_that_decides_by_data_is_an_engine_error():
    class Undecided(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(EngineError, match="Undecided cannot be exported to ONNX"):
        to_onnx(Undecided(), {"x": torch.ones(2, 3)}, ["y"])
    with pytest.raises(EngineError, match="decides by data"):
        rounded(nn.Sequential(nn.BatchNorm1d(3), Undecided()))


def test_the_commit_is_named_and_marked_when_code_differs(tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert commit(tmp_path) == "unknown"
    git("init")
    (tmp_path / "realtime").mkdir()
    (tmp_path / "realtime" / "a.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-m", "a")
    head = git("rev-parse", "HEAD").strip()
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "model.onnx").write_bytes(b"")
    assert commit(tmp_path) == head
    (tmp_path / "realtime" / "a.py").write_text("a = 2\n")
    assert commit(tmp_path) == f"{head}+changes"
    assert commit(tmp_path / "realtime") == "unknown"
