import pytest

from realtime.engine.package.opset import opset_of

onnx = pytest.importorskip("onnx", reason="ONNX files are made with the train extra")


def write(path, *sets, weight=0):
    """A model with one constant of `weight` bytes, written in operator sets (domain, version)."""
    helper = onnx.helper
    constant = helper.make_tensor("w", onnx.TensorProto.UINT8, [weight], bytes(weight), raw=True)
    output = helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [weight])
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [output], [constant])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in sets]), path)
    return path


@pytest.mark.parametrize("version", [1, 20, 127, 128, 300])
def test_the_opset_is_what_the_file_was_written_in(tmp_path, version):
    assert opset_of(write(tmp_path / "m.onnx", ("", version))) == version


def test_it_lies_behind_a_graph_of_any_size_and_among_other_domains(tmp_path):
    path = write(tmp_path / "m.onnx", ("com.microsoft", 1), ("ai.onnx.ml", 3), ("", 19), weight=100_000)
    assert opset_of(path) == 19


def test_a_file_that_is_no_onnx_has_none(tmp_path):
    path = tmp_path / "m.onnx"
    for content in (b"", b"no graph", b"\xff" * 40, b"\x42", b"\x0f\x00"):
        path.write_bytes(content)
        assert opset_of(path) is None
