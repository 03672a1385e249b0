"""The head's second graph, which is given one frame at a time, for a server that keeps the state of each sequence.

The live process never needs it: which frames of an event count is known at its end. Programs that send
embeddings as they come are answered sooner by it, and after every frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference import ReferenceEvaluator
from torch import Tensor

from realtime.engine.check import BARS, difference
from realtime.errors import EngineError
from realtime.records import Floats
from train.networks.cmn import STATES, STEP_OUTPUTS, CmnHead, FrameByFrame
from train.packaging.graph import answers, rounded, to_onnx

STEP = "step.onnx"  #: its name in the engine package
ROWS = 2  # of the proof: the reference evaluator is slow


def step_graph(head: CmnHead, embeddings: Tensor, opset: int) -> Any:
    """`head` frame by frame; EngineError unless it ends, on `embeddings` (B, N, width), where the whole head does."""
    network = FrameByFrame(head)
    graph = to_onnx(rounded(network), network.example(ROWS), STEP_OUTPUTS, opset)
    rows = embeddings[:ROWS]
    *_, found = follow(graph, rows.numpy())
    reasons = []
    for name, wanted in answers(rounded(head), {"embeddings": rows}, ("logits", "clip")).items():
        apart = difference(name, found[name], wanted, BARS["f32"])
        if not apart.ok:
            reasons.append(f"{name} differs by {apart.relative:.1e} after the last frame, {apart.bar:.0e} is allowed")
    if reasons:
        raise EngineError(f"{type(head).__name__} answers otherwise frame by frame than at once:", reasons)
    return graph


def follow(graph: Any, embeddings: Floats) -> list[dict[str, Floats]]:
    """What `graph` answers after each of the frames (B, N, width), by output; its states begin as NaN, to be unused."""
    evaluator, outputs = ReferenceEvaluator(graph), list(STEP_OUTPUTS)
    state = {port.name: _unset(port, len(embeddings)) for port in graph.graph.input if port.name in STATES}
    told = []
    for number, frame in enumerate(embeddings.swapaxes(0, 1)):
        start = np.full((len(frame), 1), float(number == 0), np.float32)
        found = dict(zip(outputs, evaluator.run(outputs, {"embedding": frame, "start": start, **state}), strict=True))
        state = {name: found[output] for name, output in STATES.items()}
        told.append(found)
    return told


def _unset(port: Any, rows: int) -> Floats:
    return np.full((rows, *(axis.dim_value for axis in port.type.tensor_type.shape.dim[1:])), np.nan, np.float32)
