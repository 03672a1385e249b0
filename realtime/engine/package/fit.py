"""Whether arrays, and the network that takes them, are what a package's manifest says: every backend asks here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError
from realtime.records import Floats
from realtime.representation.contract.tensor_spec import TensorSpec


def require_fit(inputs: Mapping[str, Floats], manifest: Manifest) -> int:
    """How many rows `inputs` have; EngineError lists all that is wrong with them."""
    reasons = list(_unfit(inputs, manifest.inputs))
    if reasons:
        raise EngineError(f"{manifest.name} cannot take these inputs:", reasons)
    return len(next(iter(inputs.values())))


def unlike(kind: str, found: Mapping[str, Sequence[int]], specs: Sequence[TensorSpec]) -> Iterator[str]:
    """How a network's inputs, or outputs, differ from the manifest's: `found` are shapes by name, -1 for any length."""
    if sorted(found) != sorted(spec.name for spec in specs):
        yield f"{kind}s are {sorted(found)}, the manifest has {sorted(spec.name for spec in specs)}"
    for spec in specs:
        shape = list(found.get(spec.name, spec.shape))
        # The graph may leave a length open that the network fixes when it runs.
        if len(shape) != len(spec.shape) or any(n not in (-1, m) for n, m in zip(shape, spec.shape, strict=True)):
            yield f"{kind} {spec.name} is {shape}, the manifest has {list(spec.shape)}"


def _unfit(inputs: Mapping[str, Floats], specs: Sequence[TensorSpec]) -> Iterator[str]:
    wanted = [spec.name for spec in specs]
    for name in inputs:
        if name not in wanted:
            yield f"there is no input {name!r}: name them {wanted}"
    for spec in specs:
        if spec.name not in inputs:
            yield f"input {spec.name!r} is missing: give {spec.dtype} {_shown(spec.shape)}"
            continue
        array = inputs[spec.name]
        if array.dtype != spec.dtype or array.shape[1:] != spec.shape[1:] or array.shape[:1] in ((), (0,)):
            yield f"{spec.name} is {array.dtype} {list(array.shape)}: give {spec.dtype} {_shown(spec.shape)}"
    if len({array.shape[:1] for array in inputs.values()}) > 1:
        yield f"batches differ: { ({name: list(array.shape[:1]) for name, array in inputs.items()}) }"


def _shown(shape: Sequence[int]) -> str:
    return f"[{', '.join('B' if length == -1 else str(length) for length in shape)}]"
