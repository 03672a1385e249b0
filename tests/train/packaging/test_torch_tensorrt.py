"""With a torch-tensorrt that is made up, since the real one wants a GPU: it runs what it is given in torch."""

import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import msgspec
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from realtime.config import ROOT
from realtime.engine.package.manifest import dump, load
from realtime.errors import EngineError
from realtime.labels import VOCABULARIES
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.embedding_sequence import EmbeddingSequence
from train import registry
from train.__main__ import app
from train.methods import packages
from train.methods.cmn.network import CmnHead
from train.methods.experiment import Experiment
from train.packaging import torch_tensorrt
from train.packaging.export import export
from train.packaging.graph import half, rounded
from train.packaging.torch_tensorrt import convert, library
from train.registry import load as load_recipe

FRAMES, WIDTH = 4, 16
RECIPE = [ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/synthetic.toml"]
WORDS = {torch.float32: "Float", torch.float16: "Half"}


@pytest.fixture(scope="module")
def head():
    torch.manual_seed(1)
    return rounded(CmnHead(WIDTH, 3, "first", 1.0))


@pytest.fixture(scope="module")
def exported(head, encoder_parts, tmp_path_factory):
    """The package of `head`, not to be changed."""
    draft = msgspec.structs.replace(
        encoder_parts[3],
        name="head",
        vocabulary="megc-3",
        labels=VOCABULARIES["megc-3"],
        task="micro-expression",
        representation=EmbeddingSequence("encoder", "0" * 64, FRAMES, WIDTH),
    )
    folder = tmp_path_factory.mktemp("exported") / "head"
    export(head, {"embeddings": torch.randn(3, FRAMES, WIDTH)}, ["logits", "clip"], draft, folder)
    return folder


@pytest.fixture
def folder(exported, tmp_path):
    """A copy, which may be given another precision."""
    return shutil.copytree(exported, tmp_path / "head")


def promise(folder, precision):
    dump(msgspec.structs.replace(load(folder), precision=precision), folder)


@dataclass
class Input:
    min_shape: tuple
    opt_shape: tuple
    max_shape: tuple
    dtype: torch.dtype


class Part(nn.Module):
    """What the converter puts in the place of what it converted."""

    def __init__(self, program, kind):
        super().__init__()
        self.run, self.kind = program.module(), kind

    def forward(self, *inputs):
        return self.run(*inputs)

    def get_layer_info(self):
        tensor = {"Name": "x", "Format/Datatype": WORDS[self.kind]}
        return json.dumps({"Layers": [{"Name": "all", "Inputs": [tensor], "Outputs": [tensor]}]})


def chained(parts, inputs):
    """A graph that calls one part after the other, and holds one that nobody calls."""
    graph = torch.fx.Graph()
    given = tuple(graph.placeholder(f"x{number}") for number in range(inputs))
    for name in parts:
        given = (graph.call_module(name, given),)
    graph.output(given[0])
    return torch.fx.GraphModule(nn.ModuleDict(parts | {"unused": nn.Identity()}), graph)


class Fake:
    """Records what it is asked; `kind` is the precision that its engines come out in, whatever the network's."""

    __version__ = "2.13.0"
    Input = Input

    def __init__(self):
        self.asked, self.debugged, self.graphs, self.kind = {}, [], [], None
        self.gain, self.left = 1.0, False
        self.dynamo = SimpleNamespace(Debugger=self._debugger)
        self.runtime = SimpleNamespace(set_cudagraphs_mode=self.graphs.append)

    @contextmanager
    def _debugger(self, level, **options):
        self.debugged.append(True)
        yield
        self.debugged.append(False)

    def compile(self, network, **asked):
        assert self.debugged == [True]
        self.asked = asked
        wanted = asked["arg_inputs"]
        batch = torch.export.Dim("batch", min=1, max=wanted[0].max_shape[0])
        examples = tuple(torch.randn(each.opt_shape, dtype=each.dtype) for each in wanted)
        self.program = torch.export.export(network, examples, dynamic_shapes=tuple({0: batch} for _ in wanted))
        kinds = {weight.dtype for weight in network.parameters()}
        parts = {"_run_on_acc_0": Part(self.program, self.kind or kinds.pop())}
        return chained(parts | ({"_run_on_gpu_1": nn.Identity()} if self.left else {}), len(wanted))

    def save(self, compiled, path, arg_inputs):
        torch.export.save(self.program, path)

    def load(self, path):
        run = torch.export.load(path).module()
        return SimpleNamespace(module=lambda: lambda *x: tuple(self.gain * y for y in run(*x)))


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setitem(sys.modules, "torch_tensorrt", made)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(nn.Module, "cuda", lambda self: self)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    monkeypatch.setattr(torch_tensorrt, "SECONDS", 0.0)
    return made


def refused(head, folder, what):
    """Nothing is written when the conversion fails for this reason."""
    before = sorted(folder.parent.iterdir())
    with pytest.raises(EngineError, match=what) as caught:
        convert(head, folder)
    assert sorted(folder.parent.iterdir()) == before
    return caught.value.reasons


@pytest.mark.parametrize(("precision", "found"), [("fp32", "f32"), ("fp16", "f16")])
def test_a_program_that_answers_as_its_package_is_timed_and_lies_beside_it(head, folder, fake, precision, found):
    promise(folder, precision)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    speed = convert(head, folder)
    assert speed.check.ok
    assert (speed.package, speed.backend, speed.precision) == ("head", "torch-tensorrt 2.13.0", found)
    assert [batch.rows for batch in speed.batches] == [1, 4, 16]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["head", "head.ep"]
    assert fake.graphs == [True]


def test_the_converter_is_asked_for_the_whole_network_in_a_form_that_it_knows(head, folder, fake):
    fake.left = True  # so that it ends early
    refused(head, folder, "did not convert all")
    (rows,) = fake.asked["arg_inputs"]
    assert rows == Input((1, FRAMES, WIDTH), (4, FRAMES, WIDTH), (16, FRAMES, WIDTH), torch.float32)
    assert fake.asked["ir"] == "dynamo"
    assert fake.asked["require_full_compilation"]
    assert fake.asked["disable_tf32"]
    used = [str(node.target) for node in fake.program.graph.nodes if node.op == "call_function"]
    assert not [name for name in used if "lstm" in name]
    assert fake.debugged == [True, False]  # without it the engines would not tell their precision


@pytest.mark.parametrize(("precision", "made"), [("fp32", lambda network: network), ("fp16", half)])
def test_the_converter_is_asked_for_every_input_in_order(fake, tmp_path, precision, made):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 2)

        def forward(self, picture, movement):
            return (self.fc(torch.cat([picture.mean((2, 3)), movement], 1)),)

    shapes = {"picture": (3, 8, 8), "movement": (3,)}
    specs = tuple(TensorSpec(name=n, shape=(-1, *row), dtype="float32", layout="") for n, row in shapes.items())
    manifest = SimpleNamespace(name="two", inputs=specs, precision=precision)
    network = Two()
    torch_tensorrt._compile(fake, made(network), manifest, tmp_path / "two.ep")
    rows = [Input((1, *row), (4, *row), (16, *row), torch.float32) for row in shapes.values()]
    assert fake.asked["arg_inputs"] == rows
    given = [torch.randn(5, *row) for row in shapes.values()]
    [found] = fake.load(tmp_path / "two.ep").module()(*given)
    assert torch.allclose(found, network(*given)[0], atol=1e-2)


def test_an_engine_of_another_precision_than_was_promised_is_refused(head, folder, fake):
    promise(folder, "fp16")
    fake.kind = torch.float32
    refused(head, folder, "computes in f32")


def test_what_is_left_to_torch_is_refused_by_name(head, folder, fake):
    fake.left = True
    assert refused(head, folder, "did not convert all") == ("_run_on_gpu_1 was left to torch",)


def test_a_program_that_answers_otherwise_is_refused_and_the_last_good_one_stays(head, folder, fake):
    (folder.parent / "head.ep").write_bytes(b"good")
    fake.gain = 1.001
    assert any("FAILED" in reason for reason in refused(head, folder, "was not converted"))
    assert (folder.parent / "head.ep").read_bytes() == b"good"


@pytest.mark.parametrize("word", ["compile", "save", "load"])
def test_whatever_the_library_raises_is_one_engine_error(head, folder, fake, monkeypatch, word):
    def fails(*_, **__):
        raise RuntimeError("no converter for aten.odd")

    monkeypatch.setattr(fake, word, fails)
    assert refused(head, folder, "cannot convert head") == ("RuntimeError: no converter for aten.odd",)


def test_int8_lies_in_the_graph_alone(head, folder, fake):
    promise(folder, "int8")
    refused(head, folder, "int8 lies in its ONNX graph")


def test_a_network_whose_layers_have_no_written_out_form_is_refused(folder, fake):
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(WIDTH, 3, 2, batch_first=True)

    refused(Deep(), folder, "cannot be unrolled")


def test_where_nothing_is_installed_the_versions_that_go_together_are_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)  # as if it were not installed
    with pytest.raises(EngineError) as caught:
        library()
    no_gpu, no_library, wanted = caught.value.reasons
    assert no_gpu == f"torch {torch.__version__} sees no GPU"
    assert no_library.startswith("torch_tensorrt cannot be imported")
    assert "torch-tensorrt 2.13 and tensorrt 11.0" in wanted


def test_one_that_cannot_be_loaded_beside_this_torch_is_the_same_error_and_keeps_stdout_clean(
    monkeypatch, tmp_path, capsys
):
    (tmp_path / "torch_tensorrt").mkdir()
    (tmp_path / "torch_tensorrt" / "__init__.py").write_text("print('sorry')\nraise Exception('no libnvinfer.so')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch_tensorrt", raising=False)
    with pytest.raises(EngineError, match=r"cannot be imported \(no libnvinfer\.so\)"):
        library()
    assert capsys.readouterr().out == ""


@pytest.fixture
def config():
    return load_recipe(RECIPE)


def test_the_trained_network_is_converted_beside_the_package_of_its_precision(config, monkeypatch, tmp_path):
    network, asked = nn.Linear(20, 20), []
    monkeypatch.setattr(Experiment, "restored", lambda self: asked.append(self.recipe) or network)
    monkeypatch.setattr(torch_tensorrt, "library", lambda: asked.append("library"))
    monkeypatch.setattr(torch_tensorrt, "convert", lambda *given: given)
    deployed, folder = packages.convert(registry.experiment(config), tmp_path / "cmn-fp16")
    assert asked == ["library", config]  # the library first: a network may take minutes
    assert torch.equal(deployed.weight, network.weight.half().float())
    assert folder == tmp_path / "cmn-fp16"


def call(*words):
    return CliRunner().invoke(app, ["export", "--converter", "torch-tensorrt", "--json", *map(str, words)])


def test_the_command_prints_how_fast_the_program_is(head, folder, fake, config, monkeypatch):
    monkeypatch.setattr(packages, "convert", lambda *_: convert(head, folder))
    found = call("--config", RECIPE[0], "--config", RECIPE[1])
    assert found.exit_code == 0, found.output
    tree = msgspec.json.decode(found.stdout)
    assert tree["backend"] == "torch-tensorrt 2.13.0"
    assert tree["p50_ms_of_1"] <= tree["p99_ms_of_1"]
    assert tree["streams"] >= 0


def test_the_command_ends_with_2_where_the_library_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    found = call("--config", RECIPE[0], "--config", RECIPE[1])
    assert found.exit_code == 2
    assert "torch-tensorrt cannot be used here" in msgspec.json.decode(found.stdout)["error"]
