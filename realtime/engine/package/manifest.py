"""The engine package: a folder with manifest.json, model.onnx and golden.npz, and what must hold between them.

`model.onnx` is the portable truth, `golden.npz` holds inputs and torch's answers to them, and the
manifest says what the network is, what it must be fed, and the SHA-256 of every file beside it.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from realtime.engine.package.external import keeps_weights_elsewhere
from realtime.engine.package.opset import opset_of
from realtime.errors import EngineError
from realtime.labels import OWN, VOCABULARIES
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.representation import Representation, decoded, tag_of

SCHEMA = 1
MANIFEST, MODEL, GOLDEN = "manifest.json", "model.onnx", "golden.npz"

#: Of one row of an input or output, sixteen megabytes as float32: a hundred times what any engine of ours takes.
MOST_NUMBERS = 1 << 22

#: Outputs that callers rely on: what heads are fed with, what becomes probabilities, what a spotter remembers, how
#: strongly action units moved.
EMBEDDING, LOGITS, MEMORY, STRENGTH = "embedding", "logits", "memory", "strength"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]  # never a path out of the folder
#: What one row of input shows: a picture, a micro-expression, an event of whatever length, or the newest movement or
#: picture, of which "spotting" says whether it belongs to an expression at all. "action-units" says of an event what
#: moved, and not what that is called.
Task = Literal["still-expression", "micro-expression", "dynamic-expression", "spotting", "action-units"]
#: What the graph computes in, between inputs and outputs that are float32. "fp32": its large weights are kept as
#: float16 and cast; "fp16": half precision throughout; "int8": convolutions between QuantizeLinear and
#: DequantizeLinear with zero points of 0, the rest float32.
Precision = Literal["fp32", "fp16", "int8"]
#: Names and labels go into every message and stand on the page: no more than can be read there.
LONGEST = 64
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
Name = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Labels = Annotated[tuple[Label, ...], msgspec.Meta(min_length=2)]
Instant = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of everything in the manifest: complete, and nothing beside it."""


class Training(Part, frozen=True):
    """Where the weights come from."""

    data: tuple[str, ...]
    terms: str  #: what the data's owners allow
    recipe: dict[str, Any]  #: the resolved training configuration
    seed: int
    epochs: int


class Score(Part, frozen=True):
    """A figure, and what it was measured on: without its protocol it says nothing."""

    name: str
    value: float
    protocol: str
    counts: dict[str, int]  #: label -> samples


class Manifest(Part, frozen=True):
    """What manifest.json says."""

    schema: Literal[1]
    name: Name
    method: Name
    task: Task
    vocabulary: str  #: key of `labels.VOCABULARIES`, or "own": then `labels` are not held against any
    labels: Labels
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    representation: Representation
    precision: Precision
    opset: int
    training: Training
    scores: tuple[Score, ...]
    files: dict[FileName, Sha256]
    versions: dict[str, str]  #: of the libraries that made the package
    commit: str  #: of Glimpse, "+changes" when its code differed from it, or "unknown"
    created: Instant


def load(folder: Path) -> Manifest:
    """The manifest of the package in `folder`, every promise in it checked; EngineError lists all that are broken."""
    tree = _read(folder)
    values, reasons = _fields(tree)
    if len(values) == len(Manifest.__struct_fields__):
        reasons += _contradictions(Manifest(**values))
    if "files" in values:
        reasons += _differing_files(folder, values["files"])
    if "opset" in values:
        reasons += _another_opset(folder / MODEL, values["opset"])
    if reasons := reasons or list(_weights_elsewhere(folder / MODEL)):
        raise _unusable(folder, reasons)
    return Manifest(**values)


def dump(manifest: Manifest | Mapping[str, Any], folder: Path) -> None:
    """Write manifest.json, laid out to be read."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(text + b"\n")


def relist(folder: Path, files: Mapping[str, str]) -> None:
    """List other files in manifest.json; all else stays as it was written, without what has a default since."""
    dump(msgspec.json.decode((folder / MANIFEST).read_bytes()) | {"files": files}, folder)


def sha256(path: Path) -> str:
    """Hex digest of a file; packages are small enough to be read at once."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise _unusable(folder, ["there is no such folder: check engines.folder and the package's name"])
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise _unusable(folder, [f"it has no {MANIFEST}: restore it or export the package again"]) from None
    except RecursionError:
        raise _unusable(folder, [f"{MANIFEST} is nested without end, which no manifest is: restore it"]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise _unusable(folder, [f"{MANIFEST} is not readable JSON ({error}): restore it"]) from None


def _fields(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values by key, and reasons; key by key, because msgspec stops at the first that is wrong."""
    values: dict[str, Any] = {}
    fields = {field.name: field.type for field in msgspec.structs.fields(Manifest)}
    reasons = [f"{MANIFEST} has an unknown key {key!r}: take it out" for key in tree if key not in fields]
    for key, kind in fields.items():
        if key not in tree:
            reasons.append(f"{MANIFEST} lacks the key {key!r}: export the package again")
        elif key == "schema" and tree[key] != SCHEMA:
            reasons.append(f"schema is {tree[key]!r}, this version reads {SCHEMA}: export the package again")
        else:
            try:
                values[key] = msgspec.convert(tree[key], kind, dec_hook=decoded)
            except msgspec.ValidationError as error:
                reasons.append(f"{MANIFEST}, {key}: {error}")
    return values, reasons


def _contradictions(manifest: Manifest) -> Iterator[str]:
    """What each key says well, but not together."""
    wanted = manifest.labels if manifest.vocabulary == OWN else VOCABULARIES.get(manifest.vocabulary)
    if wanted is None:
        yield f"vocabulary {manifest.vocabulary!r} is none of {sorted((OWN, *VOCABULARIES))}: export the package again"
    elif manifest.labels != wanted:
        yield f"labels are {list(manifest.labels)}, {manifest.vocabulary} has {list(wanted)}: export the package again"
    if len(set(manifest.labels)) < len(manifest.labels):
        yield f"labels repeat: {list(manifest.labels)}: export the package again"
    names = [spec.name for spec in (*manifest.inputs, *manifest.outputs)]
    if len(set(names)) < len(names):
        yield f"inputs and outputs share names: {names}: export the package again"
    made = manifest.representation.inputs()
    if manifest.inputs != made:
        found, right = (", ".join(map(_shown, specs)) or "none" for specs in (manifest.inputs, made))
        yield f"inputs are {found}; {tag_of(manifest.representation)} makes {right}: export the package again"
    for spec in (*manifest.inputs, *manifest.outputs):
        if math.prod(spec.shape[1:]) > MOST_NUMBERS:
            yield f"{_shown(spec)} has more than {MOST_NUMBERS} numbers a row: who made it?"
    for spec in manifest.outputs:
        if len(spec.shape) != len(spec.layout) or spec.shape[:1] != (-1,) or min(spec.shape[1:], default=1) < 1:
            yield f"output {_shown(spec)} wants a letter for each length, -1 first: export the package again"
        if spec.name == LOGITS and spec.shape != (-1, len(manifest.labels)):
            yield f"output {_shown(spec)} wants a column for each of {len(manifest.labels)} labels: export it again"


def _differing_files(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    for name in (MODEL, GOLDEN):
        if name not in files:
            yield f"files does not list {name}, which every package has: export the package again"
    for name, wanted in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing: restore it or export the package again"
        elif sha256(path) != wanted:
            yield f"{name} differs from what was exported ({sha256(path)[:12]}, not {wanted[:12]}): restore it"
    for path in sorted(folder.iterdir()):
        # Plans are built on the box, so no manifest can know them.
        if path.name not in files and path.name != MANIFEST and path.suffix != ".plan":
            yield f"{path.name} is not listed in {MANIFEST}: move it out of the package"


def _another_opset(model: Path, wanted: int) -> Iterator[str]:
    found = opset_of(model) if model.is_file() else None
    if found not in (None, wanted):
        yield f"{MODEL} is of opset {found}, the manifest says {wanted}: export the package again"


def _weights_elsewhere(model: Path) -> Iterator[str]:
    """Before any library reads it, which would open what it names."""
    try:
        if keeps_weights_elsewhere(model):
            yield f"{MODEL} keeps weights in another file, of which no package knows: export it as one file"
    except ValueError as error:
        yield f"{MODEL} is no ONNX file: {error}; restore it"


def _shown(spec: TensorSpec) -> str:
    return f"{spec.name} {spec.layout} {list(spec.shape)}"


def _unusable(folder: Path, reasons: list[str]) -> EngineError:
    return EngineError(f"the engine package {folder} cannot be used:", reasons)
