"""The only door to CUDA: which GPU there is, and a stream with the memory and the graphs that belong to it.

Every function of cuda-bindings gives a tuple, whose first part is a status.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.errors import EngineLost
from realtime.records import Floats


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPU that is used: the first of those that CUDA_VISIBLE_DEVICES leaves."""

    name: str
    capability: str  #: compute capability, such as "9.0"

    def __str__(self) -> str:
        return f"{self.name} ({self.capability})"


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """Room for the largest batch of one input or output, here and on the GPU."""

    host: Floats  #: float32 (most rows, ...) in pinned memory, which the GPU reads and writes by itself
    device: int  #: address

    def bytes_of(self, rows: int) -> int:
        """Bytes of the first `rows` rows."""
        return int(self.host[:rows].nbytes)


def gpu() -> Gpu:
    """The GPU; EngineLost says why there is none."""
    cuda = _runtime()
    _take(cuda, cuda.cudaGetDeviceCount())  # an error, never 0, where there is none
    found = _take(cuda, cuda.cudaGetDeviceProperties(0))
    return Gpu(found.name.decode(), f"{found.major}.{found.minor}")


class CudaStream:
    """Work in order on the GPU; `close` frees all that was made here."""

    def __init__(self) -> None:
        self._cuda = _runtime()
        self._owned = ExitStack()
        self.handle = self._own(
            self._cuda.cudaStreamCreateWithFlags(self._cuda.cudaStreamNonBlocking), self._cuda.cudaStreamDestroy
        )

    def buffer(self, shape: tuple[int, ...]) -> Buffer:
        """A buffer of float32 `shape`, the first axis being the most rows."""
        count = math.prod(shape)
        address = self._own(self._cuda.cudaHostAlloc(4 * count, 0), self._cuda.cudaFreeHost)
        device = self._own(self._cuda.cudaMalloc(4 * count), self._cuda.cudaFree)
        host = np.ctypeslib.as_array((ctypes.c_float * count).from_address(int(address)))
        return Buffer(host.reshape(shape), int(device))

    def upload(self, buffer: Buffer, rows: int) -> None:
        """Queue the copy of the first `rows` rows to the GPU."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(buffer.device, buffer.host.ctypes.data, buffer.bytes_of(rows), kind)

    def download(self, buffer: Buffer, rows: int) -> None:
        """Queue the copy of the first `rows` rows from the GPU."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(buffer.host.ctypes.data, buffer.device, buffer.bytes_of(rows), kind)

    def capture(self, work: Callable[[], None]) -> Any:
        """A graph of what `work` queues, which is not done now."""
        cuda = self._cuda
        # Thread-local: another thread may allocate or wait meanwhile, as the other engines' do.
        mode = cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._take(cuda.cudaStreamBeginCapture(self.handle, mode))
        with ExitStack() as drafts:
            try:
                work()
            finally:
                ended = cuda.cudaStreamEndCapture(self.handle)  # or the stream would stay as it is
                if ended[1] is not None:
                    drafts.callback(cuda.cudaGraphDestroy, ended[1])
            return self._own(cuda.cudaGraphInstantiate(self._take(ended), 0), cuda.cudaGraphExecDestroy)

    def launch(self, graph: Any) -> None:
        """Queue all of a graph."""
        self._take(self._cuda.cudaGraphLaunch(graph, self.handle))

    def wait(self) -> None:
        """Return when all that was queued is done."""
        self._take(self._cuda.cudaStreamSynchronize(self.handle))

    def close(self) -> None:
        """Free everything, in the reverse order, once nothing uses it any more."""
        self._cuda.cudaStreamSynchronize(self.handle)  # whatever it says: memory in use must not be freed
        self._owned.close()

    def _copy(self, to: int, of: int, count: int, kind: Any) -> None:
        self._take(self._cuda.cudaMemcpyAsync(to, of, count, kind, self.handle))

    def _own(self, made: tuple[Any, ...], free: Callable[[Any], Any]) -> Any:
        thing = self._take(made)
        self._owned.callback(free, thing)
        return thing

    def _take(self, result: tuple[Any, ...]) -> Any:
        return _take(self._cuda, result)


def _runtime() -> Any:
    try:
        from cuda.bindings import runtime
    except (ImportError, OSError) as error:
        reasons = [f"{error}: run pip install '.[tensorrt]' or '.[tensorrt-rtx]'"]
        raise EngineLost("CUDA cannot be used:", reasons) from None
    return runtime


def _take(cuda: Any, result: tuple[Any, ...]) -> Any:
    """What a call gave beside its status; EngineLost in CUDA's words when it failed."""
    status = result[0]
    if int(status):
        words = cuda.cudaGetErrorString(status)[1].decode()
        raise EngineLost("CUDA cannot be used:", [f"{status.name}: {words}; see what nvidia-smi says"])
    return result[1] if len(result) > 1 else None
