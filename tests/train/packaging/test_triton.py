import datetime
import errno
import shutil

import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from typer.testing import CliRunner

from realtime.engine.backends.plan import Identity, PlanRecord
from realtime.engine.package.manifest import GOLDEN, MODEL, load, sha256
from realtime.errors import DataError, EngineError
from realtime.labels import MEGC3, VOCABULARIES
from realtime.representation.embedding_sequence import EmbeddingSequence
from train.__main__ import app
from train.methods.cmn.network import CmnHead
from train.packaging.export import export
from train.packaging.pbtxt import Word, text
from train.packaging.step import STEP, step_graph
from train.packaging.triton import write

text_format = pytest.importorskip("google.protobuf.text_format", reason="configurations are read by protobuf")
protocol = pytest.importorskip(
    "tritonclient.grpc.model_config_pb2", reason="the public protocol comes with the triton extra"
)


def config_of(repository, name):
    """The model's config.pbtxt as the server reads it: a field that is none raises."""
    path = repository / name / "config.pbtxt"
    return text_format.Parse(path.read_text("utf-8"), protocol.ModelConfig())


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def engines(packages, encoder_parts, tmp_path_factory):
    """Packages `encoder` and `cmn`, the latter with its second graph."""
    folder = tmp_path_factory.mktemp("engines")
    shutil.copytree(packages / "encoder", folder / "encoder")
    draft = msgspec.structs.replace(
        encoder_parts[3],
        name="cmn",
        vocabulary="megc-3",
        labels=MEGC3,
        task="micro-expression",
        representation=EmbeddingSequence("encoder", sha256(folder / "encoder" / MODEL), 6, 16),
    )
    torch.manual_seed(2)
    head, golden = CmnHead(16, 3, "first", 0.5), torch.randn(4, 6, 16)
    step = step_graph(head, golden)
    export(head, {"embeddings": golden}, ["logits", "clip"], draft, folder / "cmn", step=step)
    return folder


@pytest.fixture(scope="module")
def repository(engines, tmp_path_factory):
    folder = tmp_path_factory.mktemp("triton") / "models"
    assert write(engines, folder, ()) == ["cmn", "cmn-step", "encoder"]
    return folder


@pytest.fixture
def plan(engines, tmp_path):
    """Makes a file that stands for a plan, and its record, of the package `encoder` unless told otherwise."""

    def make(name="encoder.plan", **changes):
        identity = {
            "package": "encoder",
            "model": load(engines / "encoder").files[MODEL],
            "precision": "fp32",
            "opset": 20,
            "rows": 8,
            "library": "tensorrt 11.0.0.1",
            "target": "a GPU",
        }
        path = tmp_path / name
        path.write_bytes(b"a plan")
        now = datetime.datetime.now(datetime.timezone.utc)
        record = PlanRecord(
            identity=Identity(**identity | changes), sha256=sha256(path), bytes=6, seconds=1.0, built=now
        )
        path.with_suffix(".json").write_bytes(msgspec.json.encode(record))
        return path

    return make


def test_a_repository_holds_the_files_that_the_packages_hold(engines, repository):
    assert sorted(contents(repository)) == [
        *("cmn-step/1/model.onnx", "cmn-step/config.pbtxt", "cmn-step/labels.txt"),
        *("cmn/1/model.onnx", "cmn/config.pbtxt", "cmn/labels.txt"),
        *("encoder/1/model.onnx", "encoder/config.pbtxt", "encoder/labels.txt"),
    ]
    for model, file in (("cmn", "cmn/model.onnx"), ("cmn-step", "cmn/step.onnx"), ("encoder", "encoder/model.onnx")):
        assert (repository / model / "1" / "model.onnx").read_bytes() == (engines / file).read_bytes()
    assert (repository / "cmn-step" / "labels.txt").read_text("utf-8").splitlines() == list(MEGC3)
    labels = (repository / "encoder" / "labels.txt").read_text("utf-8").splitlines()
    assert labels == list(VOCABULARIES["ferplus-8"])


def test_every_field_of_a_network_of_pictures(engines, repository):
    wanted = protocol.ModelConfig(name="encoder", backend="onnxruntime", max_batch_size=32)
    wanted.input.add(name="images", data_type=protocol.TYPE_FP32, dims=[3, 32, 32])
    wanted.output.add(name="embedding", data_type=protocol.TYPE_FP32, dims=[16])
    wanted.output.add(name="logits", data_type=protocol.TYPE_FP32, dims=[8], label_filename="labels.txt")
    wanted.instance_group.add(kind=protocol.ModelInstanceGroup.KIND_AUTO, count=1)
    wanted.dynamic_batching.preferred_batch_size.extend([4, 8, 16, 32])
    wanted.dynamic_batching.max_queue_delay_microseconds = 1000
    # A request may ask for less than the default, which must therefore be set.
    wanted.dynamic_batching.default_queue_policy.default_timeout_microseconds = 1_000_000
    wanted.dynamic_batching.default_queue_policy.allow_timeout_override = True
    warm = wanted.model_warmup.add(name="zeros", batch_size=1).inputs["images"]
    warm.data_type, warm.zero_data = protocol.TYPE_FP32, True
    warm.dims.extend([3, 32, 32])
    wanted.parameters["sha256"].string_value = sha256(engines / "encoder" / MODEL)
    wanted.parameters["precision"].string_value = "f32"
    assert config_of(repository, "encoder") == wanted


def test_every_field_of_a_head_whose_state_the_server_keeps(engines, repository):
    wanted = protocol.ModelConfig(name="cmn-step", backend="onnxruntime", max_batch_size=32)
    wanted.input.add(name="embedding", data_type=protocol.TYPE_FP32, dims=[16])
    wanted.output.add(name="logits", data_type=protocol.TYPE_FP32, dims=[3], label_filename="labels.txt")
    wanted.output.add(name="clip", data_type=protocol.TYPE_FP32, dims=[128])
    wanted.instance_group.add(kind=protocol.ModelInstanceGroup.KIND_AUTO, count=1)
    batching = wanted.sequence_batching
    batching.max_sequence_idle_microseconds = 10_000_000
    batching.oldest.max_candidate_sequences = 256
    batching.oldest.preferred_batch_size.extend([4, 8, 16, 32])
    batching.oldest.max_queue_delay_microseconds = 1000
    start = protocol.ModelSequenceBatching.Control(
        kind=protocol.ModelSequenceBatching.Control.CONTROL_SEQUENCE_START, fp32_false_true=[0, 1]
    )
    batching.control_input.add(name="start", control=[start])
    for name, after, length in (("first", "first_next", 16), ("h", "clip", 128), ("c", "c_next", 128)):
        batching.state.add(input_name=name, output_name=after, data_type=protocol.TYPE_FP32, dims=[length])
    wanted.parameters["sha256"].string_value = sha256(engines / "cmn" / MODEL)
    wanted.parameters["precision"].string_value = "f32"
    assert config_of(repository, "cmn-step") == wanted


def test_the_graphs_have_the_ports_that_their_configurations_name(repository):
    for name in ("encoder", "cmn", "cmn-step"):
        config, graph = config_of(repository, name), onnx.load(repository / name / "1" / "model.onnx").graph
        batching = config.sequence_batching
        states = list(batching.state)
        given = [*config.input, *({"name": state.input_name, "dims": state.dims} for state in states)]
        wanted = {port["name"] if isinstance(port, dict) else port.name for port in given}
        wanted |= {control.name for control in batching.control_input}
        assert {port.name for port in graph.input} == wanted
        lengths = {
            port.name: [axis.dim_value for axis in port.type.tensor_type.shape.dim][1:]
            for port in (*graph.input, *graph.output)
        }
        assert all(lengths[port.name] == list(port.dims) for port in (*config.input, *config.output))
        for state in states:
            assert lengths[state.input_name] == lengths[state.output_name] == list(state.dims)


def test_a_sequence_kept_as_configured_ends_where_the_windowed_head_does(engines, repository):
    """A server's sequence batcher, as far as the configuration tells it what to do."""
    config = config_of(repository, "cmn-step")
    evaluator = ReferenceEvaluator(str(repository / "cmn-step" / "1" / "model.onnx"))
    golden = np.load(engines / "cmn" / GOLDEN)
    rows, frames, _ = golden["in_embeddings"].shape
    [control] = config.sequence_batching.control_input
    states = {
        state.input_name: np.full((rows, *state.dims), 1e9, np.float32) for state in config.sequence_batching.state
    }
    names = evaluator.output_names
    for number in range(frames):
        value = control.control[0].fp32_false_true[number == 0]
        request = {"embedding": golden["in_embeddings"][:, number].astype(np.float32)}
        signals = {control.name: np.full((rows, 1), value, np.float32)}
        found = dict(zip(names, evaluator.run(names, {**request, **signals, **states}), strict=True))
        states = {state.input_name: found[state.output_name] for state in config.sequence_batching.state}
    for output in config.output:
        np.testing.assert_allclose(found[output.name], golden[f"out_{output.name}"], rtol=0, atol=1e-5)


def test_a_plan_is_served_in_the_place_of_onnx(engines, plan, tmp_path):
    write(engines, tmp_path / "models", [plan(rows=8)])
    config = config_of(tmp_path / "models", "encoder")
    assert (config.backend, config.max_batch_size) == ("tensorrt", 8)
    assert list(config.dynamic_batching.preferred_batch_size) == [4, 8]
    assert [group.kind for group in config.instance_group] == [protocol.ModelInstanceGroup.KIND_GPU]
    assert config.parameters["sha256"].string_value == load(engines / "encoder").files[MODEL]
    assert [path.name for path in (tmp_path / "models" / "encoder" / "1").iterdir()] == ["model.plan"]
    assert config_of(tmp_path / "models", "cmn").backend == "onnxruntime"


def test_all_plans_that_cannot_be_served_are_named(engines, plan, tmp_path):
    alone = tmp_path / "alone.plan"
    alone.write_bytes(b"a plan")
    plans = [plan("old.plan", model="f" * 64), plan("rtx.plan", library="tensorrt-rtx 1.7.1"), alone]
    gone, damaged = plan("gone.plan"), plan("damaged.plan")
    gone.unlink()
    damaged.write_bytes(b"half")
    with pytest.raises(DataError) as caught:
        write(engines, tmp_path / "models", [*plans, gone, damaged])
    old, rtx, without, missing, half = caught.value.problems
    assert "old.plan was built of another encoder" in old
    assert "rtx.plan is of tensorrt-rtx 1.7.1" in rtx
    assert "alone.json" in without
    assert "gone.plan and its record cannot be read" in missing
    assert "damaged.plan is damaged" in half
    assert not (tmp_path / "models").exists()


def test_a_repository_is_brought_up_to_date_and_other_models_stay(engines, repository, tmp_path):
    again = tmp_path / "models"
    (again / "other").mkdir(parents=True)
    (again / "other" / "config.pbtxt").write_text('name: "other"\n')
    (again / "encoder" / "1").mkdir(parents=True)
    (again / "encoder" / "1" / "model.plan").write_bytes(b"old")
    write(engines, again, ())
    assert contents(again) == contents(repository) | {"other/config.pbtxt": b'name: "other"\n'}
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_an_altered_package_is_not_served(engines, tmp_path):
    damaged = shutil.copytree(engines, tmp_path / "engines")
    (damaged / "cmn" / STEP).write_bytes(b"")
    with pytest.raises(EngineError, match=r"step\.onnx differs"):
        write(damaged, tmp_path / "models", ())
    assert not (tmp_path / "models").exists()


def test_a_disk_that_is_full_leaves_the_old_models(engines, repository, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    again = shutil.copytree(repository, tmp_path / "models")
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DataError, match=r"No space left on device.*make room"):
        write(engines, again, ())
    assert contents(again) == contents(repository)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_folder_without_packages_is_named(tmp_path):
    with pytest.raises(DataError, match=f"no engine package lies in {tmp_path}"):
        write(tmp_path, tmp_path / "models", ())


def test_the_command_writes_a_repository_without_any_training(engines, repository, tmp_path):
    words = ["export", "--triton", str(tmp_path / "models"), "--engines", str(engines), "--json"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert msgspec.json.decode(found.stdout) == {
        "repository": str(tmp_path / "models"),
        "models": ["cmn", "cmn-step", "encoder"],
    }
    assert contents(tmp_path / "models") == contents(repository)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "give --config for a trained network, --triton"),
        (["--config", "any.toml", "--plan", "a.plan"], "give --triton with it"),
    ],
)
def test_export_says_what_it_lacks(words, wanted):
    found = CliRunner().invoke(app, ["export", *words])
    assert found.exit_code == 2
    assert wanted in found.stderr


def test_text_holds_what_protobuf_reads():
    fields = {
        "name": 'a "quoted"\nname \u00e9',
        "max_batch_size": 3,
        "input": [{"name": "x", "data_type": Word("TYPE_FP32"), "dims": [1, -1]}, {"name": "y"}],
        "dynamic_batching": {"preserve_ordering": True},
        "model_warmup": [],
    }
    found = text_format.Parse(text(fields), protocol.ModelConfig())
    wanted = protocol.ModelConfig(name=fields["name"], max_batch_size=3)
    wanted.input.add(name="x", data_type=protocol.TYPE_FP32, dims=[1, -1])
    wanted.input.add(name="y")
    wanted.dynamic_batching.preserve_ordering = True
    assert found == wanted
