"""Packages on the CPU. The only door to OpenVINO.

OpenVINO reads the ONNX file itself and compiles it for this processor at start. It is compiled
for one row and larger batches go through it row by row: on two cores a batch of four gains less
than a tenth over four rows, and an answer about one face cannot depend on who else is in view.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.config import EnginesConfig
from realtime.engine.fit import require_fit, unlike
from realtime.errors import EngineError
from realtime.manifest import MODEL, Manifest
from realtime.preprocess import ApexChange, EmbeddingSequence, FlowFields, Representation
from realtime.records import Floats

log = logging.getLogger(__name__)

FINE = (EmbeddingSequence, FlowFields, ApexChange)  # what shows small differences


class OpenVino:
    """A package on the CPU. One thread at a time may call `run`."""

    def __init__(self, folder: Path, manifest: Manifest, config: EnginesConfig, fallback: str | None = None) -> None:
        openvino = _openvino()
        self.manifest = manifest
        self.fallback = fallback
        self.backend = f"openvino {openvino.__version__.split('-')[0]}"
        core = openvino.Core()
        hints = _hints(config, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), manifest.representation)
        try:
            model = core.read_model(folder / MODEL)
            _require_promised(model.inputs, model.outputs, manifest)
            model.reshape({spec.name: [1, *spec.shape[1:]] for spec in manifest.inputs})
            compiled = core.compile_model(model, "CPU", hints)
        except RuntimeError as error:
            raise EngineError(f"{self.backend} cannot compile {folder / MODEL}:", [_reason(error)]) from None
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self._request: Any = compiled.create_infer_request()
        log.info("%s: %s, %s, %d threads", manifest.name, self.backend, self.precision, config.threads)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        rows = range(require_fit(inputs, self.manifest))
        answers = [self._one({name: array[row : row + 1] for name, array in inputs.items()}) for row in rows]
        return {spec.name: np.concatenate([answer[spec.name] for answer in answers]) for spec in self.manifest.outputs}

    def _one(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        found = self._request.infer(inputs, share_inputs=True)
        return {spec.name: np.asarray(found[spec.name], np.float32) for spec in self.manifest.outputs}


def _openvino() -> Any:
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
    rounded = able and config.precision != "f32" and not isinstance(representation, FINE)
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


def _shapes(ports: Sequence[Any]) -> dict[str, list[int]]:
    return {port.any_name: [int(n.get_length()) if n.is_static else -1 for n in port.partial_shape] for port in ports}


def _reason(error: RuntimeError) -> str:
    """What happened, without the places in OpenVINO's sources that stand before it."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("Exception from")), "no reason given")
