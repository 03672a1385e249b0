"""Network -> ONNX graph, in float32 or float16 between inputs and outputs of float32.

Large weights are rounded to float16 in torch, before anything else: what torch answers after that is
what the graph must answer, and keeping them as float16 in a graph of float32 loses nothing more.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError

from realtime.errors import EngineError
from realtime.records import Floats

log = logging.getLogger(__name__)

OPSET = 20
LARGE = 256  #: elements; smaller weights are not worth a cast


def rounded(network: nn.Module) -> nn.Module:
    """A copy for inference: normalisation folded into the layers before it, then large weights rounded to float16.

    Folding comes first: the exporter would fold as well, and its products are no float16 numbers any more.
    """
    deployed = copy.deepcopy(network).cpu().eval()
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in deployed.modules()):
        try:
            deployed = fuse(deployed)
        except TraceError as error:
            reasons = [f"its forward decides by data ({error}): decide by the configuration instead"]
            raise EngineError(f"{type(network).__name__}'s batch normalisation cannot be folded:", reasons) from None
    with torch.no_grad():
        for weight in (*deployed.parameters(), *deployed.buffers()):
            if weight.is_floating_point() and weight.numel() > LARGE:
                weight.copy_(weight.half())
    return deployed


def half(network: nn.Module) -> nn.Module:
    """A copy that computes in float16, between inputs and outputs of float32; it is called as `network` is.

    As a graph, for exporters want to know each input by its name.
    """
    graph = Graph()
    inputs = [graph.placeholder(name) for name in signature(network.forward).parameters]
    found = graph.call_module("network", tuple(graph.call_method("half", (x,)) for x in inputs))
    graph.output(graph.call_module("floats", (found,)))
    parts = nn.ModuleDict({"network": copy.deepcopy(network).half(), "floats": _Floats()})
    return GraphModule(parts, graph).eval()


class _Floats(nn.Module):
    """One tensor, or several, in float32."""

    def forward(self, found: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(y.float() for y in tensors(found))


def tensors(found: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a network returned, one tensor or several, as several."""
    return found if isinstance(found, tuple) else (found,)


@torch.no_grad()
def answers(network: nn.Module, example: Mapping[str, Tensor], outputs: Sequence[str]) -> dict[str, Floats]:
    """What torch says to `example`, (B, ...) each, by the names `outputs`."""
    found = tensors(network(*example.values()))
    if len(found) != len(outputs):
        reasons = [f"it returns {len(found)} tensors, their names are {list(outputs)}: give one for each"]
        raise EngineError(f"{type(network).__name__}'s outputs cannot be named:", reasons)
    return {name: tensor.numpy().copy() for name, tensor in zip(outputs, found, strict=True)}


def to_onnx(network: nn.Module, example: Mapping[str, Tensor], outputs: Sequence[str], *, short: bool = True) -> Any:
    """The graph, its batch free; `short` keeps its large weights as float16."""
    batch = torch.export.Dim("batch", min=1)
    try:
        program = torch.onnx.export(
            network,
            tuple(example.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: batch} for _ in example),
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise EngineError(f"{type(network).__name__} cannot be exported to ONNX:", [str(error)]) from None
    model: Any = program.model_proto  # type: ignore[union-attr]
    _forget_origin(model.graph)
    if short:
        _shorten(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model


def _forget_origin(graph: Any) -> None:
    """Drop the exporter's stack traces: they name this machine's folders, and a file's hash should not tell them."""
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _shorten(graph: Any) -> None:
    """Keep large float32 weights as float16 and a cast, wherever that loses nothing; runtimes fold the cast."""
    casts = []
    for weight in list(graph.initializer):
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size <= LARGE:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            log.info("%s %s stays float32: the exporter computed it anew", weight.name, list(values.shape))
            continue
        graph.initializer.remove(weight)
        graph.initializer.append(onnx.numpy_helper.from_array(half, f"{weight.name}_f16"))
        casts.append(onnx.helper.make_node("Cast", [f"{weight.name}_f16"], [weight.name], to=onnx.TensorProto.FLOAT))
    for cast in casts:
        graph.node.insert(0, cast)
