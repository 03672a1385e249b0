"""Engine packages -> the model repository of a Triton Inference Server, which computes for many cameras at once.

Each package becomes the model of its name, batched over whoever asks. A head that can be given one frame at a
time becomes a second model, `<name>-step`, whose state the server keeps for each sequence. The fields of a
config.pbtxt are told in the server's documentation, under "model configuration". The numbers below change how
long is waited and never what is answered; for a server of yours they may be changed in the files.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import onnx

from realtime.engine.backends.inspector import PROMISED
from realtime.engine.backends.plan import RECORD, PlanRecord
from realtime.engine.package.manifest import LOGITS, MANIFEST, MODEL, Manifest, load, sha256
from realtime.errors import DataError
from train.packaging.pbtxt import Word, text
from train.packaging.step import STATES, STEP

log = logging.getLogger(__name__)

MOST_ROWS = 32  #: that an ONNX model takes at once
PREFERRED_ROWS = (4, 8, 16, 32)
GATHER_US = 1_000  #: how long a request waits for others: little beside a frame's 16 ms
STALE_US = 1_000_000  #: a request that waited longer is refused; it may ask for less
IDLE_US = 10_000_000  #: after which an unfinished sequence is forgotten: longer than any event
SEQUENCES = 256  #: that are followed at once
LABELS, CONFIG = "labels.txt", "config.pbtxt"
HEADER = "# Made by Glimpse. Instances and batching may be changed; names, shapes and parameters may not.\n"
FLOAT = Word("TYPE_FP32")


@dataclass(frozen=True, slots=True)
class ServedPlan:
    """A TensorRT plan that takes 1 to `rows` rows."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class Model:
    """One folder of the repository."""

    config: Mapping[str, Any]  #: what its config.pbtxt says
    network: Path
    file: str  #: the network's name there
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the folder, and of what requests ask for."""
        return str(self.config["name"])


def write(engines: Path, repository: Path, plans: Sequence[Path]) -> list[str]:
    """Put the packages in the folder `engines` into `repository`; the models' names. Others that stand there are kept.

    `plans` are TensorRT plans of some of these packages, to be served instead of ONNX, as `python -m realtime
    build` wrote them on the server: they suit one kind of GPU and one version of TensorRT alone. EngineError if
    a package is unfit, DataError if there is none or a plan is nobody's: nothing has been changed then.
    """
    manifests = {path.parent: load(path.parent) for path in sorted(engines.glob(f"*/{MANIFEST}"))}
    chosen = _chosen(plans, {manifest.files[MODEL] for manifest in manifests.values()})
    if not manifests:
        raise DataError(f"no engine package lies in {engines}; give --engines a folder of folders with {MANIFEST}")
    models = [model for folder, manifest in manifests.items() for model in _models(folder, manifest, chosen)]
    try:
        _place(models, repository)
    except OSError as error:
        raise DataError(f"{repository} cannot be written ({error}); make room, or give another folder") from None
    return [model.name for model in models]


def _place(models: Sequence[Model], repository: Path) -> None:
    """All are written before the first is moved to its place."""
    repository.mkdir(parents=True, exist_ok=True)
    # Not inside: a server that looks for changes takes every folder there for a model.
    with tempfile.TemporaryDirectory(prefix=f".{repository.name}-", dir=repository.resolve().parent) as scratch:
        for model in models:
            _fill(Path(scratch) / "new" / model.name, model)
        (Path(scratch) / "old").mkdir()
        for model in models:
            place = repository / model.name
            if place.exists():
                place.rename(Path(scratch) / "old" / model.name)
            (Path(scratch) / "new" / model.name).rename(place)
            log.info("%s: %s", place, model.config["backend"])


def _chosen(plans: Sequence[Path], models: Set[str]) -> dict[str, ServedPlan]:
    """By the SHA-256 of the model.onnx that each was built of; DataError lists all that cannot be served."""
    chosen, problems = {}, []
    for path in plans:
        try:
            record = msgspec.json.decode(path.with_suffix(RECORD).read_bytes(), type=PlanRecord)
            whole = sha256(path) == record.sha256
        except (OSError, msgspec.DecodeError) as error:
            problems.append(f"{path} and its record cannot be read: {error}")
            continue
        if not whole:
            problems.append(f"{path} is damaged: it is not what was built")
        if record.identity.model not in models:
            problems.append(f"{path} was built of another {record.identity.package} than the package: build it anew")
        if not record.identity.library.startswith("tensorrt "):
            problems.append(f"{path} is of {record.identity.library}: the server runs plans of tensorrt alone")
        chosen[record.identity.model] = ServedPlan(path, record.identity.rows)
    if problems:
        raise DataError("these plans cannot be served:", problems)
    return chosen


def _models(folder: Path, manifest: Manifest, plans: Mapping[str, ServedPlan]) -> list[Model]:
    whole = _whole(folder, manifest, plans.get(manifest.files[MODEL]))
    return [whole, _step(folder, manifest)] if STEP in manifest.files else [whole]


def _whole(folder: Path, manifest: Manifest, plan: ServedPlan | None) -> Model:
    """The package's own network; requests of all cameras are gathered into batches."""
    inputs = {spec.name: list(spec.shape[1:]) for spec in manifest.inputs}
    outputs = {spec.name: list(spec.shape[1:]) for spec in manifest.outputs}
    rows = plan.rows if plan else MOST_ROWS
    config = {
        "name": manifest.name,
        "backend": "tensorrt" if plan else "onnxruntime",
        "max_batch_size": rows,
        **_ports(inputs, outputs),
        "parameters": _parameters(manifest, PROMISED[manifest.precision]),
        "instance_group": {"kind": Word("KIND_GPU" if plan else "KIND_AUTO"), "count": 1},
        "dynamic_batching": {
            "preferred_batch_size": [size for size in PREFERRED_ROWS if size <= rows],
            "max_queue_delay_microseconds": GATHER_US,
            "default_queue_policy": {"default_timeout_microseconds": STALE_US, "allow_timeout_override": True},
        },
        # A network's first answer takes seconds on a GPU, and cameras wait for less.
        "model_warmup": {
            "name": "zeros",
            "batch_size": 1,
            "inputs": [
                {"key": name, "value": {"data_type": FLOAT, "dims": dims, "zero_data": True}}
                for name, dims in inputs.items()
            ],
        },
    }
    network, file = (plan.path, "model.plan") if plan else (folder / MODEL, MODEL)
    return Model(config, network, file, manifest.labels)


def _step(folder: Path, manifest: Manifest) -> Model:
    """The head frame by frame: a request holds one embedding, the server adds whether it is a sequence's first."""
    graph = onnx.load(folder / STEP).graph
    inputs, outputs = _lengths(graph.input), _lengths(graph.output)
    states = [
        {"input_name": name, "output_name": after, "data_type": FLOAT, "dims": inputs[name]}
        for name, after in STATES.items()
    ]
    asked = {name: dims for name, dims in inputs.items() if name not in ("start", *STATES)}
    told = {spec.name: outputs[spec.name] for spec in manifest.outputs}
    config = {
        "name": f"{manifest.name}-step",
        "backend": "onnxruntime",
        "max_batch_size": MOST_ROWS,
        **_ports(asked, told),
        "parameters": _parameters(manifest, "f32"),
        "instance_group": {"kind": Word("KIND_AUTO"), "count": 1},
        "sequence_batching": {
            "max_sequence_idle_microseconds": IDLE_US,
            "oldest": {
                "max_candidate_sequences": SEQUENCES,
                "preferred_batch_size": PREFERRED_ROWS,
                "max_queue_delay_microseconds": GATHER_US,
            },
            "control_input": {
                "name": "start",
                "control": {"kind": Word("CONTROL_SEQUENCE_START"), "fp32_false_true": [0.0, 1.0]},
            },
            "state": states,
        },
    }
    return Model(config, folder / STEP, MODEL, manifest.labels)


def _ports(inputs: Mapping[str, list[int]], outputs: Mapping[str, list[int]]) -> dict[str, Any]:
    """The tensors of requests and answers; the server puts the batch before their lengths."""
    labels = {LOGITS: {"label_filename": LABELS}}
    return {
        "input": [{"name": name, "data_type": FLOAT, "dims": dims} for name, dims in inputs.items()],
        "output": [
            {"name": name, "data_type": FLOAT, "dims": dims, **labels.get(name, {})} for name, dims in outputs.items()
        ],
    }


def _parameters(manifest: Manifest, precision: str) -> list[dict[str, Any]]:
    """Which package a model was made of: who asks it compares."""
    said = {"sha256": manifest.files[MODEL], "precision": precision}
    return [{"key": key, "value": {"string_value": value}} for key, value in said.items()]


def _lengths(ports: Any) -> dict[str, list[int]]:
    """Shapes of a graph's inputs or outputs by name, without the batch."""
    return {port.name: [axis.dim_value for axis in port.type.tensor_type.shape.dim[1:]] for port in ports}


def _fill(folder: Path, model: Model) -> None:
    (folder / "1").mkdir(parents=True)
    shutil.copyfile(model.network, folder / "1" / model.file)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in model.labels), "utf-8")
    (folder / CONFIG).write_text(HEADER + text(model.config), "utf-8")
