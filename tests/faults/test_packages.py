"""Engine packages and plans that others made or may change."""

import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.config import ROOT
from realtime.engine import check
from realtime.engine.backends.openvino import OpenVino
from realtime.engine.package import manifest
from realtime.engine.package.external import keeps_weights_elsewhere
from realtime.engine.package.opset import opset_of
from realtime.errors import EngineError

onnx = pytest.importorskip("onnx", reason="making graphs needs the train extra")


@pytest.fixture
def package(tmp_path):
    """A small package that is shipped, which may be damaged."""
    return shutil.copytree(ROOT / "engines" / "units", tmp_path / "units")


@pytest.mark.promise("a golden.npz that grows a thousandfold", "refused before it is unpacked", "1 of 1, of 272 MB")
def test_a_golden_file_that_grows_to_gigabytes_is_refused_before_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(np, "load", None)
    with (
        zipfile.ZipFile(tmp_path / "golden.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        bomb.open("in_images.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(65):
            member.write(bytes(1 << 22))
    assert (tmp_path / "golden.npz").stat().st_size < 5e6
    with pytest.raises(EngineError, match="272 MB"):
        check.golden(tmp_path / "golden.npz", SimpleNamespace())


@pytest.mark.promise("a golden.npz that states 8 PiB", "refused in one line", "1 of 1")
def test_a_golden_file_whose_array_states_more_than_it_holds_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1024), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(tmp_path / "golden.npz", "w") as bomb:
        bomb.writestr("in_images.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80))
    with pytest.raises(EngineError, match="not readable"):
        check.golden(tmp_path / "golden.npz", SimpleNamespace())


@pytest.mark.promise(
    "a golden.npz that holds objects, which run code when they are read", "refused in one line", "1 of 1"
)
def test_a_golden_file_of_objects_is_refused(tmp_path):
    np.savez(tmp_path / "golden.npz", in_images=np.array([print], object))
    with pytest.raises(EngineError, match=r"not readable.*\n.*allow_pickle"):
        check.golden(tmp_path / "golden.npz", SimpleNamespace())


def elsewhere(name):
    """A tensor whose numbers lie in another file."""
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=1)
    tensor.external_data.add(key="location", value=name)
    return tensor


def graph(nodes=(), initializer=(), sparse=()):
    value = onnx.helper.make_tensor_value_info
    ends = [value("x", 1, [None, 4])], [value("y", 1, [None, 4])]
    return onnx.helper.make_graph(list(nodes), "g", *ends, list(initializer), sparse_initializer=list(sparse))


def model_of(where):
    """An ONNX file that hides such a tensor somewhere."""
    tensor = elsewhere("../../secret")
    node = onnx.helper.make_node
    if where == "a weight":
        return onnx.helper.make_model(graph(initializer=[tensor]))
    if where == "a constant":
        return onnx.helper.make_model(graph([node("Constant", [], ["w"], value=tensor)]))
    if where == "a branch":
        return onnx.helper.make_model(graph([node("If", ["c"], ["y"], then_branch=graph(initializer=[tensor]))]))
    if where == "a sparse weight":
        return onnx.helper.make_model(graph(sparse=[onnx.SparseTensorProto(values=tensor, dims=[4])]))
    function = onnx.FunctionProto(name="f", node=[node("Constant", [], ["w"], value=tensor)])
    return onnx.ModelProto(ir_version=8, graph=graph(), functions=[function])


@pytest.mark.promise(
    "an engine whose ONNX names a file outside its folder, wherever in the graph",
    "refused before any library reads it",
    "5 places of 5",
)
@pytest.mark.parametrize("where", ["a weight", "a constant", "a branch", "a sparse weight", "a function"])
def test_weights_in_another_file_are_refused(package, where):
    (package / manifest.MODEL).write_bytes(model_of(where).SerializeToString())
    said = manifest.msgspec.json.decode((package / manifest.MANIFEST).read_bytes())
    said["files"][manifest.MODEL] = manifest.sha256(package / manifest.MODEL)
    manifest.dump(said | {"opset": opset_of(package / manifest.MODEL) or said["opset"]}, package)
    with pytest.raises(EngineError, match="keeps weights in another file"):
        manifest.load(package)


def test_a_graph_nested_without_end_is_no_onnx(tmp_path):
    inner = b""
    for field in [6, 5, 1] * 40 + [7]:  # a graph in an attribute in a node in a graph ..., and the model around all
        size = len(inner)
        inner = bytes([field << 3 | 2, size & 0x7F | 0x80, size >> 7 & 0x7F]) + inner
    (tmp_path / "m.onnx").write_bytes(inner)
    with pytest.raises(ValueError, match="without end"):
        keeps_weights_elsewhere(tmp_path / "m.onnx")


@pytest.mark.promise(
    "an engine whose graph asks for gigabytes in a few bytes",
    "refused before it is compiled",
    "a constant of 40 GB; 4 GB of it were taken in 12 s before",
)
def test_a_graph_that_asks_for_gigabytes_is_refused(package, engines):
    node, model = onnx.helper.make_node, onnx.load(package / manifest.MODEL)
    shape = onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [100_000, 100_000])
    model.graph.initializer.append(shape)
    end = model.graph.output[0].name
    for each in model.graph.node:
        each.output[:] = ["honest" if name == end else name for name in each.output]
    model.graph.node.extend(
        [
            node("ConstantOfShape", ["shape"], ["large"]),
            node("ReduceMean", ["large"], ["mean"], keepdims=0),
            node("Add", ["honest", "mean"], [end]),
        ]
    )
    (package / manifest.MODEL).write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match="who made it"):
        OpenVino(package, manifest.load(ROOT / "engines" / "units"), engines)


@pytest.mark.promise("a manifest whose shapes ask for gigabytes", "refused with the key", "1 of 1")
def test_a_manifest_whose_output_is_gigabytes_is_refused(package):
    said = manifest.msgspec.json.decode((package / manifest.MANIFEST).read_bytes())
    said["outputs"][0]["shape"] = [-1, 1 << 30]
    manifest.dump(said, package)
    with pytest.raises(EngineError, match="numbers a row"):
        manifest.load(package)


@pytest.mark.promise(
    "an engine whose name or labels are pages long",
    "refused with the key and the limit",
    "3 of 3; at most 64 characters",
)
@pytest.mark.parametrize("key", ["name", "method", "labels"])
def test_words_that_are_shown_are_short(package, key):
    said = manifest.msgspec.json.decode((package / manifest.MANIFEST).read_bytes())
    said[key] = "x" * 10_000 if key != "labels" else [*said["labels"][:-1], "x" * 10_000]
    manifest.dump(said, package)
    with pytest.raises(EngineError, match=f"{key}.*length <= 64"):
        manifest.load(package)
