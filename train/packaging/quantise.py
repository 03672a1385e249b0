"""Graph of convolutions -> the same in INT8, and what that costs. The only door to onnxruntime.

QuantizeLinear and DequantizeLinear stand where TensorRT wants them: before each convolution, on its input and
on its weights; symmetric, zero points of 0, weights by output channel, biases float32. What stands between
convolutions is left to be fused with them. On the encoder, rounding the convolutions' outputs, the sums or the last
layer as well was no faster and changed more labels (0.75 % of them and more, not 0.4 %).
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime import InferenceSession
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from realtime.engine.check import LEAST_AGREEMENT
from realtime.engine.package.manifest import LOGITS, Score
from realtime.errors import EngineError
from realtime.records import Floats, Image
from realtime.representation.crop_images import CropImages
from train.evaluation.metrics import Indices, scores
from train.evaluation.scoring import listed

CHUNK = 32  # crops that go through a graph at once
FIGURES = ("accuracy", "uf1")

#: Graphs as the exporter leaves them are folded and their shapes known: what this mark of onnxruntime stands for.
PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}

OPTIONS = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "OpTypesToExcludeOutputQuantization": ["Conv"],
}


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Crops uint8 (S, S, 3) that INT8 is calibrated with, and those by which it is compared with float32."""

    representation: CropImages
    calibration: Sequence[Image]
    test: Sequence[Image]
    truth: Indices  #: (len(test),)
    protocol: str  #: of the comparison


def to_int8(model: Any, trial: Trial, labels: tuple[str, ...]) -> tuple[Any, tuple[Score, ...]]:
    """`model` with float32 weights -> its convolutions in INT8, and what that costs; EngineError if it is too much."""
    made = _quantised(model, trial)
    before, after = _said(model, trial), _said(made, trial)
    agreement = float((before == after).mean())
    if not agreement >= LEAST_AGREEMENT:
        reasons = [f"{agreement:.1%} of them are kept, {LEAST_AGREEMENT:.0%} are wanted: export it in fp16 or fp32"]
        raise EngineError(f"INT8 changes the labels of too many of {len(after)} pictures:", reasons)
    return made, _scores(before, after, agreement, trial, labels)


def _quantised(model: Any, trial: Trial) -> Any:
    """A tensor's range is the widest that calibration shows."""
    prepared = copy.deepcopy(model)
    onnx.helper.set_model_props(prepared, PREPARED)
    with tempfile.TemporaryDirectory(prefix="glimpse-int8-") as scratch:
        source, target = Path(scratch) / "floating.onnx", Path(scratch) / "int8.onnx"
        onnx.save(prepared, source)
        quantize_static(
            source,
            target,
            _Reader(trial),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            # Weights of 7 bits: with AVX2 and no VNNI, sums of two products of 8 bits do not fit into 16.
            reduce_range=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options=OPTIONS,
        )
        made = onnx.load(target)
    made.ClearField("metadata_props")
    onnx.checker.check_model(made, full_check=True)
    return made


def _scores(
    before: Indices, after: Indices, agreement: float, trial: Trial, labels: tuple[str, ...]
) -> tuple[Score, ...]:
    found = {"fp32": scores(trial.truth, before, labels), "int8": scores(trial.truth, after, labels)}
    figures = {f"{name}_{figure}": each.figures()[figure] for name, each in found.items() for figure in FIGURES}
    return listed(figures | {"int8_agreement": agreement}, trial.protocol, found["int8"].counts)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """How onnxruntime asks for what it calibrates with."""

    def __init__(self, trial: Trial) -> None:
        self.batches = _batches(trial.calibration, trial.representation)

    def get_next(self) -> dict[str, Floats] | None:
        return next(self.batches, None)


def _batches(crops: Sequence[Image], representation: CropImages) -> Iterator[dict[str, Floats]]:
    for start in range(0, len(crops), CHUNK):
        yield representation.of_images(crops[start : start + CHUNK])


def _said(model: Any, trial: Trial) -> Indices:
    """The class of each test crop."""
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [session.run([LOGITS], batch)[0].argmax(1) for batch in _batches(trial.test, trial.representation)]
    return np.concatenate(answers)
