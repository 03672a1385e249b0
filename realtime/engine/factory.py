"""A package and a configuration -> an engine on the CPU, a GPU or a server.

`engines.device` says where. A GPU runs TensorRT, or TensorRT for RTX where that alone is installed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from realtime.config import ROOT, Backend, EnginesConfig
from realtime.engine.backends.cuda import gpu
from realtime.engine.backends.library import GPU_BACKENDS, library
from realtime.engine.backends.openvino import OpenVino
from realtime.engine.backends.tensorrt import TensorRt
from realtime.engine.backends.triton import SCHEME, Triton
from realtime.engine.engine import Engine
from realtime.engine.fallback import Fallback, told
from realtime.engine.package.manifest import Manifest, load
from realtime.errors import EngineError, EngineLost

log = logging.getLogger(__name__)


#: By name; each takes the package's folder, its manifest and the configuration, and raises EngineError if unfit.
BACKENDS: dict[Backend, Callable[[Path, Manifest, EnginesConfig], Engine]] = {
    "openvino": OpenVino,
    **{name: partial(TensorRt, name) for name in GPU_BACKENDS},
    "triton": lambda _, manifest, config: Triton(manifest, config),
}


def open_engine(folder: Path | str, config: EnginesConfig) -> Engine:
    """The package in `folder`, checked and made to run where the configuration says; EngineError if unfit.

    A relative folder lies beside configs/. With `engines.fallback`, a GPU or a server that fails, now or
    later, is replaced by the CPU.
    """
    where = ROOT / folder
    manifest = load(where)
    cpu = partial(OpenVino, where, manifest, config)
    try:
        backend, why = choose(config.device)
        engine = None if backend == "openvino" else BACKENDS[backend](where, manifest, config)
    except EngineError as error:
        if not config.fallback:
            raise
        return cpu(fallback=told(manifest, error))
    log.info("%s runs on %s: %s", manifest.name, backend, why)
    if engine is None:
        return cpu()
    return Fallback(engine, cpu) if config.fallback else engine


def open_with(backend: Backend, folder: Path | str, config: EnginesConfig) -> Engine:
    """The package in `folder` on exactly this one of `BACKENDS`; EngineError says why it cannot run."""
    where = ROOT / folder
    return BACKENDS[backend](where, load(where), msgspec.structs.replace(config, fallback=False))


def instruction_sets(engine: Engine) -> dict[str, int]:
    """How many kernels of `engine` were compiled for each of the processor's instruction sets; {} elsewhere."""
    return engine.instruction_sets if isinstance(engine, OpenVino) else {}


def choose(device: str) -> tuple[Backend, str]:
    """Backend for an `engines.device`, and why; EngineLost lists all that is missing."""
    if device == "cpu":
        return "openvino", "engines.device is cpu"
    if device.startswith(SCHEME):
        return "triton", f"engines.device is {device}"
    reasons: list[str] = []
    chip = _found(gpu, reasons)
    if chip is None and device == "auto":
        return "openvino", reasons[0]
    backend = next((name for name in GPU_BACKENDS if _found(partial(library, name), reasons)), None)
    if chip is not None and backend is not None:
        return backend, f"there is a {chip}"
    if device == "auto":
        return "openvino", "; ".join(reasons)
    raise EngineLost("engines.device is cuda, which cannot be used here:", reasons)


def _found(look: Callable[[], object], reasons: list[str]) -> object:
    """What `look` finds, or None and its reasons among `reasons`."""
    try:
        return look()
    except EngineLost as error:
        reasons += error.reasons
        return None
