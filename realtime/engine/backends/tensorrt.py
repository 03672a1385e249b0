"""Packages on an NVIDIA GPU, by TensorRT or TensorRT for RTX.

Rows go through in batches of any size up to `engines.batch`. For a network of pictures, which sees every
frame, TensorRT's work for each size of batch is captured once as a CUDA graph, with the copies there and
back, and costs one call from then on. TensorRT for RTX captures graphs of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from realtime.config import EnginesConfig, GpuBackend
from realtime.engine.backends.cuda import Buffer, CudaStream, gpu
from realtime.engine.backends.inspector import precision_of, require_precision
from realtime.engine.backends.library import library, listener
from realtime.engine.backends.plan import Plan, obtain
from realtime.engine.package.fit import require_fit
from realtime.engine.package.manifest import Manifest
from realtime.errors import EngineError, EngineLost
from realtime.records import Floats

log = logging.getLogger(__name__)


class TensorRt:
    """A package on the GPU. One thread at a time may call `run`; `close` gives the GPU's memory back."""

    fallback = None

    def __init__(self, backend: GpuBackend, folder: Path, manifest: Manifest, config: EnginesConfig) -> None:
        self._trt = library(backend)
        gpu()  # or TensorRT for RTX would build a plan that nothing here can run
        self.manifest = manifest
        self.backend = f"{backend} {self._trt.__version__}"
        self._rows = config.batch
        self._listener = listener(self._trt)
        self._engine = self._deserialize(obtain(folder, manifest, config, backend))
        told = self._engine.create_engine_inspector().get_engine_information(self._trt.LayerInformationFormat.JSON)
        self.precision = precision_of(told)
        require_precision(self.precision, manifest)
        self._captures = backend == "tensorrt" and manifest.representation.every_frame
        self._graphs: dict[int, tuple[Any, Any]] = {}  #: rows -> context, whose memory the graph uses, and graph
        with ExitStack() as opening:
            self._stream = CudaStream()
            opening.callback(self._stream.close)
            specs = (*manifest.inputs, *manifest.outputs)
            self._buffers: dict[str, Buffer] = {
                spec.name: self._stream.buffer((self._rows, *spec.shape[1:])) for spec in specs
            }
            self._context = self._new_context()
            opening.pop_all()
        log.info("%s: %s, %s, %d rows at once", manifest.name, self.backend, self.precision, self._rows)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        starts = range(0, require_fit(inputs, self.manifest), self._rows)
        parts = [self._batch({name: array[i : i + self._rows] for name, array in inputs.items()}) for i in starts]
        return {spec.name: np.concatenate([part[spec.name] for part in parts]) for spec in self.manifest.outputs}

    def close(self) -> None:
        """Free memory and graphs; the engine runs no more."""
        self._graphs.clear()
        self._stream.close()

    def _batch(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        rows = len(next(iter(inputs.values())))
        for name, array in inputs.items():
            self._buffers[name].host[:rows] = array
        try:
            self._queue(rows)
        finally:
            self._stream.wait()  # also after a failure: what was queued still reads and writes the buffers
        return {spec.name: self._buffers[spec.name].host[:rows].copy() for spec in self.manifest.outputs}

    def _queue(self, rows: int) -> None:
        if not self._captures:
            self._pass(self._context, rows)
            return
        if rows not in self._graphs:
            self._graphs[rows] = self._captured(rows)
        self._stream.launch(self._graphs[rows][1])

    def _captured(self, rows: int) -> tuple[Any, Any]:
        """A context of its own, because what is captured must not change, and its graph."""
        context = self._context if not self._graphs else self._new_context()
        self._pass(context, rows)  # once outside: TensorRT allocates in its first run, which no graph can hold
        self._stream.wait()
        return context, self._stream.capture(lambda: self._pass(context, rows))

    def _pass(self, context: Any, rows: int) -> None:
        """Queue the copies of the inputs, the network, and the copies of the outputs."""
        for spec in self.manifest.inputs:
            if not context.set_input_shape(spec.name, (rows, *spec.shape[1:])):
                raise EngineError(f"the plan of {self.manifest.name} does not fit it:", self._said())
            self._stream.upload(self._buffers[spec.name], rows)
        if not context.execute_async_v3(int(self._stream.handle)):
            raise EngineLost(f"{self.backend} does not run {self.manifest.name}:", self._said())
        for spec in self.manifest.outputs:
            self._stream.download(self._buffers[spec.name], rows)

    def _new_context(self) -> Any:
        trt = self._trt
        if hasattr(trt, "CudaGraphStrategy"):  # of TensorRT for RTX
            settings = self._engine.create_runtime_config()
            settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            context = self._engine.create_execution_context(settings)
        else:
            context = self._engine.create_execution_context()
        if context is None:
            raise EngineLost(f"{self.backend} cannot prepare {self.manifest.name}:", self._said())
        for name, buffer in self._buffers.items():
            context.set_tensor_address(name, buffer.device)
        return context

    def _deserialize(self, plan: Plan) -> Any:
        self._runtime = self._trt.Runtime(self._listener)  # must live as long as the engine
        engine = self._runtime.deserialize_cuda_engine(plan.data)
        if engine is None:
            reasons = [*self._said(), f"update the driver, or delete {plan.path}, so that it is built anew"]
            raise EngineLost(f"{self.backend} does not take its own plan of {self.manifest.name}:", reasons)
        return engine

    def _said(self) -> list[str]:
        """TensorRT's errors, which are then forgotten."""
        said, self._listener.errors = self._listener.errors, []
        return said or ["no reason given: see its log with --verbose"]
