"""Public networks of a picture on the CPU, by OpenVINO, which reads their TFLite files itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from realtime.engine.backends.openvino import openvino_library
from realtime.errors import EngineError
from realtime.faces.public_models import PublicModel
from realtime.records import Floats, Image

#: One thread, since tracking is a stage beside others. In f32: rounding would make a still face move.
_HINTS = {
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": False,
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
}


class PictureNetwork:
    """A `faces.public_models.Network`. Its request and arrays are used again for every picture."""

    def __init__(self, model: PublicModel) -> None:
        openvino = openvino_library()
        core = openvino.Core()
        try:
            graph = _of_colours(openvino, core.read_model(model.checked()), model)
            self._request: Any = core.compile_model(graph, "CPU", _HINTS).create_infer_request()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO {openvino.__version__} cannot compile {model.file}: {error}") from None
        self._numbers: Floats = self._request.get_input_tensor().data[0]
        self.picture: Image = np.zeros(self._numbers.shape, np.uint8)
        self._answers: list[Floats] = [tensor.data for tensor in self._request.output_tensors]

    def run(self) -> Sequence[Floats]:
        # Here and not in the graph, which would first bring the colours into another order of axes, and then back.
        self._numbers[...] = self.picture
        self._request.infer()
        return self._answers


def _of_colours(openvino: Any, graph: Any, model: PublicModel) -> Any:
    """`graph` with numbers of 0 to 255 for its input: what they are to the network goes into its first weights."""
    steps = openvino.preprocess.PrePostProcessor(graph)
    scale = 255.0 / (model.white - model.black)
    steps.input().preprocess().mean(-model.black * scale).scale(scale)
    return steps.build()
