"""The network of every method's shipped recipe, with random weights: exported, and built by TensorRT for RTX."""

from types import SimpleNamespace

import onnx
import pytest
import torch

from realtime.config import ROOT, read_toml
from realtime.engine.backends.builder import BuildOrder, serialize
from realtime.engine.package.manifest import LOGITS
from realtime.representation.contract.tensor_spec import TensorSpec
from train import registry
from train.packaging.export import LAYOUTS
from train.packaging.graph import answers, rounded, to_onnx
from train.registry import METHODS

pytest.importorskip("tensorrt_rtx", reason="building plans needs the tensorrt-rtx extra")
pytestmark = pytest.mark.usefixtures("one_thread")
CLASSES = 3
DATA = {read_toml(path)["source"]: path for path in sorted((ROOT / "configs/data").glob("*.toml"))}


@pytest.mark.parametrize("name", METHODS)
def test_the_network_of_a_recipe_is_exported_and_builds(name, tmp_path):
    method = METHODS[name]
    config = registry.load([ROOT / f"configs/methods/{name}.toml", DATA[method.sources[0]]]).method
    torch.manual_seed(1)
    network = rounded(method.served(method.network(config, CLASSES).eval()))
    inputs = method.representation(config).inputs()
    example = {spec.name: torch.randn(2, *spec.shape[1:]) for spec in inputs}
    path = tmp_path / "model.onnx"
    onnx.save(to_onnx(network, example, method.outputs), path)
    outputs = tuple(
        TensorSpec(name=output, shape=(-1, *found.shape[1:]), dtype="float32", layout=LAYOUTS[found.ndim])
        for output, found in answers(network, example, method.outputs).items()
    )
    assert {spec.name: spec.shape for spec in outputs}[LOGITS] == (-1, CLASSES)
    manifest = SimpleNamespace(name=name, inputs=inputs, outputs=outputs)
    plan, _ = serialize(BuildOrder(path, manifest, "tensorrt-rtx", None, 4), b"")
    assert len(plan) > 1000
