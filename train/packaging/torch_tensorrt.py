"""torch -> TensorRT without ONNX: a second converter, to hold the first against. The only door to torch-tensorrt.

What serves is model.onnx, which needs no torch and which every backend takes; a program made here needs torch and
torch-tensorrt wherever it runs, so `realtime` never loads one. It lies beside its package, must answer the
package's golden inputs, and is timed as `python -m realtime bench --engines` times the others. Where both converters
answer alike, neither has misread the network; where one is much faster, the other has something to learn.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from realtime.bench.engines import BATCHES, Speed, speed
from realtime.engine.backends.inspector import PROMISED, precision_of, require_precision
from realtime.engine.check import lines
from realtime.engine.package.fit import require_fit
from realtime.engine.package.manifest import Manifest, load
from realtime.errors import EngineError
from realtime.records import Floats
from train.packaging.graph import half, tensors
from train.packaging.unrolled import unrolled

SECONDS = 6.0  #: of timing
SUFFIX = ".ep"  #: of an exported program, beside the package's folder
WANTED = (
    "install torch 2.13 for CUDA, torch-tensorrt 2.13 and tensorrt 11.0 with pip install '.[tensorrt]', or, "
    "for TensorRT for RTX, torch-tensorrt-rtx 2.13 with tensorrt_rtx 1.5"
)


class TorchTensorRt:
    """A saved program on the GPU, with CUDA graphs; 16 rows at most. Implements `realtime.engine.engine.Engine`."""

    fallback = None

    def __init__(self, file: Path, manifest: Manifest) -> None:
        trt = library()
        trt.runtime.set_cudagraphs_mode(True)
        self.manifest, self.precision = manifest, PROMISED[manifest.precision]
        self.backend = f"torch-tensorrt {trt.__version__}"
        self._program = trt.load(str(file)).module()

    @torch.no_grad()
    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        require_fit(inputs, self.manifest)
        found = self._program(*(torch.from_numpy(inputs[spec.name]).cuda() for spec in self.manifest.inputs))
        # Copying to the host waits for the GPU, so that a call that is timed is one that has answered.
        return {spec.name: y.cpu().numpy() for spec, y in zip(self.manifest.outputs, tensors(found), strict=True)}


def convert(network: nn.Module, folder: Path) -> Speed:
    """Compile `network` for this GPU, prove it against its package `folder`, time it, and write it as `folder`.ep.

    `network` is what the package was exported from, its weights rounded; recurrent layers are written out, and it
    computes in the precision that the manifest names. EngineError, and nothing written, if torch-tensorrt cannot be
    used here, leaves a part to torch or builds another precision, or if the program does not answer as the package.
    """
    trt, manifest = library(), load(folder)
    if manifest.precision == "int8":
        reasons = ["int8 lies in its ONNX graph alone: convert the one that was exported in fp32 or fp16"]
        raise EngineError(f"{manifest.name} cannot be converted by torch-tensorrt:", reasons)
    network, began = unrolled(network), time.perf_counter()
    prefix = f".{folder.name}-"
    with _one_error(manifest.name), tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as scratch:
        made = Path(scratch) / "program.ep"
        _compile(trt, half(network) if manifest.precision == "fp16" else network, manifest, made)
        # What lies on the disk is proven, not what lay in memory.
        found = speed(TorchTensorRt(made, manifest), folder, time.perf_counter() - began, SECONDS)
        if not found.check.ok:
            raise EngineError(f"{manifest.name} was not converted by torch-tensorrt:", list(lines(found.check)))
        made.replace(folder.with_name(folder.name + SUFFIX))
    return found


def library() -> Any:
    """The library; EngineError says all that is missing for it, and which versions go together."""
    reasons = [] if torch.cuda.is_available() else [f"torch {torch.__version__} sees no GPU"]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where it explains itself when it fails
            import torch_tensorrt
    except Exception as error:  # noqa: BLE001 - it raises bare ones where a library is missing or of another version
        reasons.append(f"torch_tensorrt cannot be imported ({error})")
    if reasons:
        raise EngineError("torch-tensorrt cannot be used here:", [*reasons, WANTED])
    return torch_tensorrt


@contextlib.contextmanager
def _one_error(name: str) -> Iterator[None]:
    """An EngineError of whatever its converters, exporter and runtime raise."""
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(f"torch-tensorrt cannot convert {name}:", [f"{type(error).__name__}: {error}"]) from error


def _compile(trt: Any, network: nn.Module, manifest: Manifest, made: Path) -> None:
    """Write the program `made`: one engine for 1 to 16 rows, which computes in what the manifest says."""
    sizes = dict(zip(("min_shape", "opt_shape", "max_shape"), BATCHES, strict=True))
    inputs = [
        trt.Input(**{name: (rows, *spec.shape[1:]) for name, rows in sizes.items()}, dtype=torch.float32)
        for spec in manifest.inputs
    ]
    # The inspector tells the precision of layers only of what was built under the debugger.
    with torch.no_grad(), trt.dynamo.Debugger("error", engine_builder_monitor=False, logging_dir=str(made.parent)):
        compiled = trt.compile(
            network.cuda().eval(),
            ir="dynamo",
            arg_inputs=inputs,
            require_full_compilation=True,
            min_block_size=1,
            disable_tf32=True,  # float32 means float32, as in plans
            timing_cache_path=str(made.with_suffix(".timing")),  # not in /tmp, where anybody may put one
        )
    _require_whole(compiled, manifest)
    trt.save(compiled, str(made), arg_inputs=inputs)


def _require_whole(compiled: Any, manifest: Manifest) -> None:
    """That all of it runs in engines, and that these compute in what the manifest promises.

    Options that ask for a precision are accepted and ignored, so the engines are asked what they became.
    """
    called = (str(node.target) for node in compiled.graph.nodes if node.op == "call_module")
    parts = {name: compiled.get_submodule(name) for name in called}
    engines = [part for part in parts.values() if hasattr(part, "get_layer_info")]
    if not engines or len(engines) < len(parts):
        reasons = [f"{name} was left to torch" for name, part in parts.items() if part not in engines]
        raise EngineError(f"torch-tensorrt did not convert all of {manifest.name}:", reasons or ["it made no engine"])
    for engine in engines:
        require_precision(precision_of(engine.get_layer_info()), manifest)
