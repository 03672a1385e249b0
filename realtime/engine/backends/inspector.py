"""In what a plan computes, read from TensorRT's engine inspector, because no build flag promises it.

The inspector's JSON, of a plan that was built with detailed verbosity, lists layers with their inputs
and outputs; TensorRT 10 and TensorRT for RTX say a tensor's type and layout in "Format/Datatype", such as
"Half" or "Row major linear FP16 format", TensorRT 11 in "DataType" and "Format" (its guide "Migrating
IEngineInspector Usage from TensorRT 10.x to 11.x").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from realtime.engine.package.manifest import Manifest, Precision
from realtime.errors import EngineError

#: Words of the inspector -> this project's.
WORDS = {
    "int8": "int8",
    "half": "f16",
    "fp16": "f16",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "float": "f32",
    "fp32": "f32",
}
#: What a manifest promises, in the words of what runs.
PROMISED: dict[Precision, str] = {"fp32": "f32", "fp16": "f16", "int8": "int8"}


def precision_of(inspected: str) -> str:
    """ "int8" if any layer is fed with it, else what most tensors between layers are; EngineError if it is not told.

    A half precision network casts at its ends and a quantised one computes in floats between its
    convolutions, so neither a first layer nor an only layer tells.
    """
    try:
        layers = msgspec.json.decode(inspected, type=dict[str, Any]).get("Layers", [])
        fed = Counter(_types(layers, "Inputs"))
        made = Counter(_types(layers, "Outputs"))
    except (msgspec.DecodeError, AttributeError, TypeError) as error:
        raise EngineError("the engine inspector says something unknown:", [f"{error}: report it"]) from None
    if "int8" in fed:
        return "int8"
    if not made:
        reasons = ["it names no types: delete the plan, so that it is built anew with detailed verbosity"]
        raise EngineError("a plan does not tell in what it computes:", reasons)
    return made.most_common(1)[0][0]


def require_precision(found: str, manifest: Manifest) -> None:
    """EngineError unless a plan computes in what its package's manifest promises."""
    promised = manifest.precision
    if found != PROMISED[promised]:
        reasons = [f"export it again with --precision {promised}, and look at the types in its graph"]
        raise EngineError(f"the plan of {manifest.name} computes in {found}, its manifest says {promised}:", reasons)


def _types(layers: Sequence[Mapping[str, Any]], side: str) -> Iterator[str]:
    for layer in layers:
        for tensor in layer.get(side, []):
            said = " ".join(str(tensor.get(key, "")) for key in ("DataType", "Format/Datatype", "Format"))
            words = (WORDS.get(word) for word in re.findall(r"[a-z0-9]+", said.lower()))
            word = next(filter(None, words), None)
            if word:
                yield word
