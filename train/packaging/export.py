"""Network -> engine package: rounded, exported, proven, and only then moved into its place.

Weights are rounded to float16 whatever the graph computes in: half the size, and the rounding is the
network's own, since torch's golden answers are taken after it. A package appears whole or not at all.
"""

from __future__ import annotations

import copy
import datetime
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from realtime.config import ROOT
from realtime.config import load as load_config
from realtime.engine.check import BARS, LEAST_AGREEMENT, Difference, check, difference
from realtime.engine.package import manifest as package
from realtime.engine.package.manifest import GOLDEN, LOGITS, MODEL, Manifest, Precision, Score, Task, Training
from realtime.errors import DataError, EngineError
from realtime.records import Floats
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.representation import Representation
from train.packaging import model_card
from train.packaging.golden import surest
from train.packaging.graph import OPSET, answers, half, rounded, to_onnx
from train.packaging.limits import MethodCard
from train.packaging.quantise import Trial, to_int8
from train.packaging.step import STEP
from train.storage.atomic import move
from train.storage.commit import commit
from train.training.curves import CURVE

log = logging.getLogger(__name__)

WEIGHTS = "weights.pt"
FLOATING = ("torch", "onnx", "onnxscript", "openvino")
MAKERS: dict[Precision, tuple[str, ...]] = {"fp32": FLOATING, "fp16": FLOATING, "int8": (*FLOATING, "onnxruntime")}
LAYOUTS = {2: "NC", 3: "NTC", 4: "NCHW", 5: "NCTHW"}  #: of outputs, by their number of axes
ROUNDING_BAR = 1e-2  #: what float16 weights may move an output by, as a relative norm
#: For ONNX's reference evaluator; INT8 is held against torch before it rounds.
REFERENCE_BARS: dict[Precision, float] = {"fp32": BARS["f32"], "fp16": BARS["f16"], "int8": BARS["f32"]}
REFERENCE_ROWS = 2  #: the reference evaluator is slow; with the engine's single rows, two show that the batch is free


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a manifest and its card that only the training knows."""

    name: str
    method: str
    task: Task
    vocabulary: str
    labels: tuple[str, ...]
    representation: Representation
    precision: Precision
    training: Training
    scores: tuple[Score, ...]
    card: MethodCard


def export(
    network: nn.Module,
    example: Mapping[str, Tensor],
    outputs: Sequence[str],
    draft: Draft,
    folder: Path,
    curve: Path | None = None,
    step: Any = None,
    trial: Trial | None = None,
) -> Manifest:
    """Make the engine package `folder` of `network` and prove it; EngineError, and nothing changed, if it differs.

    A relative `folder` lies beside configs/, as `open_engine` has it.
    `example` holds the golden inputs (B >= 2, ...) by name, in the representation's order, which is that of `network`'s
    arguments; they are rounded to float16 to keep the package small. `outputs` names what `network` returns, in order.
    `curve` is the training's curve.csv and `step` the network's second graph (see `train.packaging.step`), which go
    along. `trial` is what INT8 needs; the manifest then says what it cost.
    """
    folder = ROOT / folder
    example = {name: tensor.detach().cpu().half().float() for name, tensor in example.items()}
    _require_example(example, draft.representation)
    _require_trial(draft, trial)
    deployed = rounded(network)
    golden = answers(deployed, example, outputs)
    exact = answers(copy.deepcopy(network).cpu().eval(), example, outputs)
    _require_same(_different(exact, golden, ROUNDING_BAR, "with its weights rounded to float16"), draft.name)
    model = _floating(deployed, example, golden, draft)
    if trial is not None:
        model, cost = to_int8(model, trial, draft.labels)
        draft = msgspec.structs.replace(draft, scores=(*draft.scores, *cost))
        rows = surest(golden[LOGITS])
        example, golden = {k: v[rows] for k, v in example.items()}, {k: v[rows] for k, v in golden.items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch) / "new"
        made.mkdir()
        onnx.save(model, made / MODEL)
        _save_golden(made / GOLDEN, example, golden)
        if curve is not None:
            shutil.copyfile(curve, made / CURVE)
        if step is not None:
            onnx.save(step, made / STEP)
        manifest = model_card.add(_manifest(draft, golden, made), made, draft.card)
        package.dump(manifest, made)
        _require_same(_runtime_reasons(made), draft.name)
        move(made, folder, Path(scratch) / "old")
    log.info("%s: %.1f MB in %s", draft.name, (folder / MODEL).stat().st_size / 1e6, folder)
    return manifest


def trained(run: Path) -> Path:
    """The weights that `fit` left in the folder `run`; DataError if there are none."""
    if not (run / WEIGHTS).is_file():
        raise DataError(f"no {run / WEIGHTS}: train first, with python -m train fit and the same configuration")
    return run / WEIGHTS


def _require_example(example: Mapping[str, Tensor], representation: Representation) -> None:
    specs = representation.inputs()
    found = {name: tuple(tensor.shape) for name, tensor in example.items()}
    rows = {shape[:1] for shape in found.values()}
    alike = [(name, shape[1:]) for name, shape in found.items()] == [(spec.name, spec.shape[1:]) for spec in specs]
    if not alike or len(rows) != 1 or min(rows) < (2,):
        wanted = ", ".join(f"{spec.name} {list(spec.shape)}" for spec in specs)
        reasons = [f"they are {found}: give {wanted}, at least 2 rows"]
        raise EngineError("the golden inputs are not what the representation makes:", reasons)


def _require_trial(draft: Draft, trial: Trial | None) -> None:
    if draft.precision == "int8" and trial is None:
        reasons = [f"{draft.method} has no pictures to calibrate it with: export it in fp32 or fp16"]
        raise EngineError(f"{draft.name} cannot compute in INT8:", reasons)
    if draft.precision != "int8" and trial is not None:
        reasons = [f"its precision is {draft.precision}: calibrate INT8 alone"]
        raise EngineError(f"{draft.name} is not to be calibrated:", reasons)


def _floating(network: nn.Module, example: Mapping[str, Tensor], golden: Mapping[str, Floats], draft: Draft) -> Any:
    """The graph, before INT8 rounds it; it answers as torch does."""
    form = half(network) if draft.precision == "fp16" else network
    short = draft.precision != "int8"  # what is to be quantised must be a weight, and no product of a cast
    model = to_onnx(form, example, list(golden), short=short)
    _require_same(_reference_reasons(model, example, golden, REFERENCE_BARS[draft.precision]), draft.name)
    return model


def _reference_reasons(
    model: Any, example: Mapping[str, Tensor], golden: Mapping[str, Floats], bar: float
) -> Iterator[str]:
    inputs = {name: tensor[:REFERENCE_ROWS].numpy() for name, tensor in example.items()}
    found = dict(zip(golden, ReferenceEvaluator(model).run(list(golden), inputs), strict=True))
    wanted = {name: array[:REFERENCE_ROWS] for name, array in golden.items()}
    return _different(wanted, found, bar, "in ONNX's reference evaluator")


def _runtime_reasons(folder: Path) -> Iterator[str]:
    """What the engine that serves computes otherwise than torch."""
    report = check(folder, msgspec.structs.replace(load_config().engines, device="cpu", precision="f32"))
    for each in report.differences:
        if not each.ok:
            yield _told(each, f"in {report.backend}")


def _different(wanted: Mapping[str, Floats], found: Mapping[str, Floats], bar: float, where: str) -> Iterator[str]:
    for name, array in wanted.items():
        apart = difference(name, found[name], array, bar)
        if not apart.ok:
            yield _told(apart, where)


def _told(apart: Difference, where: str) -> str:
    if apart.relative <= apart.bar and apart.agreement is not None:
        return f"{apart.output} keeps {apart.agreement:.1%} of the labels {where}, {LEAST_AGREEMENT:.0%} is wanted"
    return f"{apart.output} differs by {apart.relative:.1e} {where}, {apart.bar:.0e} is allowed"


def _require_same(reasons: Iterator[str], name: str) -> None:
    found = list(reasons)
    if found:
        raise EngineError(f"{name} was not exported, because what would serve is not what was trained:", found)


def _save_golden(path: Path, example: Mapping[str, Tensor], golden: Mapping[str, Floats]) -> None:
    inputs = {f"in_{name}": tensor.half().numpy() for name, tensor in example.items()}
    np.savez_compressed(path, **inputs, **{f"out_{name}": array for name, array in golden.items()})


def _manifest(draft: Draft, golden: Mapping[str, Floats], folder: Path) -> Manifest:
    return Manifest(
        schema=1,
        **{field: getattr(draft, field) for field in draft.__struct_fields__ if field != "card"},
        opset=OPSET,
        inputs=draft.representation.inputs(),
        # What has no entry in this table is refused, with everything else that is wrong, when the check opens it.
        outputs=tuple(
            TensorSpec(name=name, shape=(-1, *array.shape[1:]), dtype="float32", layout=LAYOUTS.get(array.ndim, ""))
            for name, array in golden.items()
        ),
        files={path.name: package.sha256(path) for path in sorted(folder.iterdir())},
        versions={name: version(name) for name in MAKERS[draft.precision]},
        commit=commit(ROOT),
        created=datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0),
    )
