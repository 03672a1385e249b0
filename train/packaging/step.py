"""A head's second graph, which is given one frame at a time, for a server that keeps the state of each sequence.

The live process never needs it: which frames of an event count is known at its end. Programs that send
embeddings as they come are answered sooner by it, and after every frame.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from realtime.engine.check import BARS, difference
from realtime.errors import EngineError
from realtime.records import Floats
from train.packaging.graph import answers, rounded, to_onnx

STEP = "step.onnx"  #: its name in the engine package
ROWS = 2  # of the proof: the reference evaluator is slow

#: What a server keeps of each sequence: names as inputs, and as the outputs that are the next frame's inputs.
STATES = {"first": "first_next", "h": "clip", "c": "c_next"}
STEP_OUTPUTS = ("logits", "clip", "c_next", "first_next")


class Stepping(Protocol):
    """A module that judges an event by an LSTM over the embeddings (B, N, width) of its frames, or frame by frame."""

    @property
    def width(self) -> int:
        """Of an embedding."""

    @property
    def hidden(self) -> int:
        """Of the LSTM's states."""

    def relative(self, embeddings: Tensor, first: Tensor) -> Tensor:
        """What of the embeddings (..., width) counts, beside those of their event's first frame."""

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, h and c after one more frame's `relative` x (B, width); before the first, h and c are 0."""


class FrameByFrame(nn.Module):
    """A head that is given one frame at a time; who calls it keeps its state, as a server does for each sequence.

    After the N-th frame it answers what the head answers to these N. No number of frames is fixed here, but heads
    are trained on one.
    """

    def __init__(self, head: Stepping) -> None:
        super().__init__()
        self.head = head

    def example(self, rows: int) -> dict[str, Tensor]:
        """Inputs (rows, length) by name: a frame's embedding, 1 where it begins a sequence, and the states."""
        width, hidden = self.head.width, self.head.hidden
        lengths = {"embedding": width, "start": 1, "first": width, "h": hidden, "c": hidden}
        return {name: torch.zeros(rows, length) for name, length in lengths.items()}

    def forward(self, embedding: Tensor, start: Tensor, first: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """`STEP_OUTPUTS`. Where a sequence begins, its states may hold anything, also NaN."""
        begins = start > 0.5
        first = torch.where(begins, embedding, first)
        h, c = (state.masked_fill(begins, 0.0) for state in (h, c))
        return *self.head.step(self.head.relative(embedding, first), h, c), first


def step_graph(head: Stepping, embeddings: Tensor) -> Any:
    """`head` frame by frame; EngineError unless it ends, on `embeddings` (B, N, width), where the whole head does."""
    assert isinstance(head, nn.Module)
    network = FrameByFrame(head)
    graph = to_onnx(rounded(network), network.example(ROWS), STEP_OUTPUTS)
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
