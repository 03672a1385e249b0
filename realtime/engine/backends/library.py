"""TensorRT, and TensorRT for RTX: one interface under two names. Which of them is imported is said here alone."""

from __future__ import annotations

import logging
from typing import Any

from realtime.config import GpuBackend
from realtime.errors import EngineLost

GPU_BACKENDS: tuple[GpuBackend, ...] = ("tensorrt", "tensorrt-rtx")  #: in the order of preference

log = logging.getLogger(__name__)


def library(backend: GpuBackend) -> Any:
    """The module, imported late because it is large; EngineLost says what to install where it is not."""
    try:
        if backend == "tensorrt":
            import tensorrt as found
        else:
            import tensorrt_rtx as found
    except (ImportError, OSError) as error:
        reasons = [f"{error}: run pip install '.[{backend}]', or set engines.device to cpu"]
        raise EngineLost(f"{backend} cannot be imported:", reasons) from None
    return found


def listener(trt: Any) -> Any:
    """A logger for `trt` that hands on to `logging`, and keeps the errors in its list `errors`."""
    levels = {
        trt.ILogger.Severity.INTERNAL_ERROR: logging.ERROR,
        trt.ILogger.Severity.ERROR: logging.ERROR,
        trt.ILogger.Severity.WARNING: logging.INFO,  # mostly advice to whoever wrote the network
    }

    class Listener(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            level = levels.get(severity, logging.DEBUG)
            if level == logging.ERROR:
                self.errors.append(text)
                level = logging.INFO  # it will stand in the exception
            log.log(level, "%s", text)

    return Listener()
