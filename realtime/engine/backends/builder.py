"""ONNX -> the bytes of a plan, by TensorRT or TensorRT for RTX.

The network is strongly typed: it computes in what its graph says. float32 means float32, so TF32, which
keeps ten bits of each factor, is off.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.config import GpuBackend
from realtime.engine.backends.library import library, listener
from realtime.engine.package.fit import unlike
from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What is to be built."""

    model: Path
    manifest: Manifest
    backend: GpuBackend
    capability: str | None  #: for another GPU than the one at hand, such as "8.6"; of TensorRT for RTX alone
    rows: int  #: most rows at once; one row is what it is made fast for


def serialize(order: BuildOrder, timing: bytes) -> tuple[bytes, bytes]:
    """Plan and timing cache, given the timing cache of an earlier build or nothing.

    EngineError names the nodes that the parser refuses, or what the builder says.
    """
    trt = library(order.backend)
    heard = listener(trt)
    builder = trt.Builder(heard)
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, heard)
    if not parser.parse_from_file(str(order.model)):
        refusals = [_refusal(parser.get_error(i)) for i in range(parser.num_errors)]
        raise EngineError(f"{order.backend} cannot read {order.model}:", refusals or ["no reason given"])
    _require_promised(network, order.manifest)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # for the inspector, who tells the precision
    config.progress_monitor = monitor = _monitor(trt, order.manifest.name)
    config.add_optimization_profile(_profile(builder, order))
    _aim(trt, config, order.capability)
    # TensorRT for RTX makes no use of a timing cache, and having one makes it look for a GPU.
    times = order.backend == "tensorrt"
    if times:
        known = config.create_timing_cache(timing) or config.create_timing_cache(b"")  # none of a damaged file
        config.set_timing_cache(known, ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    del monitor  # which must live until here
    if plan is None:
        raise EngineError(f"{order.backend} cannot build {order.model}:", heard.errors or ["no reason given"])
    return bytes(plan), bytes(config.get_timing_cache().serialize()) if times else b""


def _strongly_typed(trt: Any) -> int:
    """The flag for `create_network`; later versions know no other networks, and no flag."""
    flags = trt.NetworkDefinitionCreationFlag.__members__
    return 1 << int(flags["STRONGLY_TYPED"]) if "STRONGLY_TYPED" in flags else 0


def _refusal(error: Any) -> str:
    return f"node {error.node_name() or '?'} ({error.node_operator() or '?'}): {error.desc()}; export it without this"


def _require_promised(network: Any, manifest: Manifest) -> None:
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    reasons = [
        *unlike("input", {tensor.name: tuple(tensor.shape) for tensor in inputs}, manifest.inputs),
        *unlike("output", {tensor.name: tuple(tensor.shape) for tensor in outputs}, manifest.outputs),
    ]
    if reasons:
        raise EngineError(f"{manifest.name}'s graph is not what its manifest says; export it again:", reasons)


def _profile(builder: Any, order: BuildOrder) -> Any:
    profile = builder.create_optimization_profile()
    for spec in order.manifest.inputs:
        row = spec.shape[1:]
        profile.set_shape(spec.name, (1, *row), (1, *row), (order.rows, *row))
    return profile


def _aim(trt: Any, config: Any, capability: str | None) -> None:
    """Build for GPUs of this compute capability, if it is given."""
    if capability is None:
        return
    known = {
        f"{name[2:-1]}.{name[-1]}": chip for name, chip in trt.ComputeCapability.__members__.items() if name[:2] == "SM"
    }
    if capability not in known:
        raise EngineError(
            f"there is no compute capability {capability!r} to build for:", [f"give one of {list(known)}"]
        )
    config.num_compute_capabilities = 1
    config.set_compute_capability(known[capability], 0)


def _monitor(trt: Any, package: str) -> Any:
    """Logs the phases of a build, and each tenth of those that are long."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            if parent is None:
                self.steps[phase] = steps
                log.info("%s: %s", package, phase)

        def step_complete(self, phase: str, step: int) -> bool:
            steps = self.steps.get(phase, 0)
            if steps >= 10 and (step + 1) * 10 // steps > step * 10 // steps:
                log.info("%s: %s, %d %%", package, phase, (step + 1) * 100 // steps)
            return True

        def phase_finish(self, phase: str) -> None:
            self.steps.pop(phase, None)

    return Monitor()
