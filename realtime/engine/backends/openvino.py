"""Packages on the CPU. The only door to OpenVINO.

OpenVINO reads the ONNX file itself and compiles it for this processor at start. It is compiled
for one row and larger batches go through it row by row: on two cores a batch of four gains less
than a tenth over four rows, and an answer about one face cannot depend on who else is in view.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.config import EnginesConfig
from realtime.engine.package.fit import require_fit, unlike
from realtime.engine.package.manifest import MODEL, Manifest
from realtime.errors import EngineError
from realtime.records import Floats
from realtime.representation.representation import Representation

log = logging.getLogger(__name__)

#: Of all that a graph computes from one row, a quarter of a gigabyte as float32; the largest of ours has 4 million.
MOST_NUMBERS = 1 << 26
_INSTRUCTIONS = re.compile("avx512|avx2|avx|sse42|amx|sve|asimd|neon")  # in the names of kernels


class OpenVino:
    """A package on the CPU. One thread at a time may call `run`."""

    def __init__(self, folder: Path, manifest: Manifest, config: EnginesConfig, fallback: str | None = None) -> None:
        openvino = openvino_library()
        self.manifest = manifest
        self.fallback = fallback
        self.backend = f"openvino {openvino.__version__.split('-')[0]}"
        core = openvino.Core()
        hints = _hints(config, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), manifest.representation)
        try:
            model = core.read_model(folder / MODEL)
            _require_promised(model.inputs, model.outputs, manifest)
            model.reshape({spec.name: [1, *spec.shape[1:]] for spec in manifest.inputs})
            _require_small(model, manifest.name)
            compiled = core.compile_model(model, "CPU", hints)
        except RuntimeError as error:
            raise EngineError(f"{self.backend} cannot compile {folder / MODEL}:", [_reason(error)]) from None
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self._compiled: Any = compiled
        self._request: Any = compiled.create_infer_request()
        # Used anew for each row: handing over arrays by name costs more than a small network's answer.
        self._inputs = {spec.name: self._request.get_tensor(compiled.input(spec.name)).data for spec in manifest.inputs}
        self._outputs = {s.name: self._request.get_tensor(compiled.output(s.name)).data for s in manifest.outputs}
        log.info("%s: %s, %s, %d threads", manifest.name, self.backend, self.precision, config.threads)

    @property
    def instruction_sets(self) -> dict[str, int]:
        """How many of its kernels were compiled for each of the processor's vector instruction sets, the most first."""
        kernels = [op.get_rt_info()["primitiveType"].astype(str) for op in self._compiled.get_runtime_model().get_ops()]
        return dict(Counter(match[0] for kernel in kernels if (match := _INSTRUCTIONS.search(kernel))).most_common())

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        count = require_fit(inputs, self.manifest)
        answers = {s.name: np.empty((count, *s.shape[1:]), np.float32) for s in self.manifest.outputs}
        for row in range(count):
            for name, place in self._inputs.items():
                place[0] = inputs[name][row]
            self._request.infer()
            for name, answer in self._outputs.items():
                answers[name][row] = answer[0]
        return answers


def limit_instructions(isa: str) -> None:
    """Compile for no more than `isa`, such as "avx2", whatever the processor has; EngineError once it is too late.

    The variable is oneDNN's, which compiles most kernels; it is read when the library loads. A few of OpenVINO's own
    go on using what they find: see `instruction_sets`.
    """
    if sys.modules.get("openvino") is not None:
        reasons = [f"OpenVINO is loaded already: limit it to {isa} before any engine is opened"]
        raise EngineError("the instruction set cannot be chosen any more:", reasons)
    os.environ["ONEDNN_MAX_CPU_ISA"] = isa.upper()


def openvino_library() -> Any:
    """The library, imported late because it is slow, and without its usage reports.

    Its import posts an event to an analytics service and leaves an identifier in the home folder, unless
    the package that does so cannot be imported: then a stub of its own takes the place.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _hints(config: EnginesConfig, capabilities: Sequence[str], representation: Representation) -> dict[str, object]:
    """OpenVINO's properties; one stream, because an answer is wanted soon rather than many later.

    A head lives on small differences, of which bf16 leaves little, and takes no time: it stays f32.
    """
    able = "BF16" in capabilities
    if config.precision == "bf16" and not able:
        reasons = [f"it lists {', '.join(capabilities)}: set engines.precision to auto or f32"]
        raise EngineError("engines.precision is bf16, which this processor does not compute:", reasons)
    rounded = able and config.precision != "f32" and not representation.fine
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # the other stages' threads want the same cores
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": config.threads,
        "INFERENCE_PRECISION_HINT": "bf16" if rounded else "f32",
    }


def _require_promised(inputs: Sequence[Any], outputs: Sequence[Any], manifest: Manifest) -> None:
    """That the graph has the inputs and outputs of the manifest, which a hash cannot tell."""
    reasons = [
        *unlike("input", _shapes(inputs), manifest.inputs),
        *unlike("output", _shapes(outputs), manifest.outputs),
    ]
    if reasons:
        raise EngineError(f"{manifest.name}'s {MODEL} is not what its manifest says; export it again:", reasons)


def _require_small(model: Any, name: str) -> None:
    """That no few bytes of a graph ask for gigabytes, such as by a constant of 100,000 x 100,000 ones."""
    shapes = [port.get_partial_shape() for op in model.get_ops() for port in op.outputs()]
    numbers = sum(math.prod(length.get_min_length() for length in shape) for shape in shapes if shape.rank.is_static)
    if numbers > MOST_NUMBERS:
        reasons = [f"its results have {numbers} numbers in all, at most {MOST_NUMBERS} are computed: who made it?"]
        raise EngineError(f"{name}'s {MODEL} is too large:", reasons)


def _shapes(ports: Sequence[Any]) -> dict[str, list[int]]:
    return {port.any_name: [int(n.get_length()) if n.is_static else -1 for n in port.partial_shape] for port in ports}


def _reason(error: RuntimeError) -> str:
    """What happened, without the places in OpenVINO's sources that stand before it."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("Exception from")), "no reason given")
